"""Servers that a process connects to by itself: several clusters in turn, or one without the op."""

import json

from absl.testing import absltest

from tests.support import processes


class SecondClusterTest(absltest.TestCase):
    def test_the_servers_of_each_cluster_draw(self):
        output = processes.output_of("-m", "tests.programs.two_clusters")
        self.assertIn("all the same", output)


class ServerWithoutTheLibraryTest(absltest.TestCase):
    def test_the_error_is_the_one_that_the_documents_show(self):
        (address,) = processes.free_addresses(1)
        with processes.running("server", json.dumps({"worker": [address]}), "worker", "0"):
            output = processes.output_of("-m", "tests.programs.connect_to_host", address)
        eager, function = output.splitlines()
        self.assertStartsWith(eager, "'VsinitStatelessVarianceScaling' is neither a type of a prim")
        self.assertStartsWith(function, "Op type not registered 'VsinitStatelessVarianceScaling'")


if __name__ == "__main__":
    absltest.main()
