"""The argument `layout` on a mesh of two clients: two processes with two devices each."""

import contextlib
import json
import subprocess

from absl.testing import absltest

from tests.support import processes


def results_of_two_clients():
    # DTensor wants the addresses sorted.
    addresses = sorted(processes.free_addresses(2))
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(
                processes.running(
                    "layout_client",
                    str(number),
                    stdout=subprocess.PIPE,
                    DTENSOR_JOBS=",".join(addresses),
                    DTENSOR_CLIENT_ID=str(number),
                )
            )
            for number in range(2)
        ]
        lines = [client.stdout.readline() for client in clients]
        assert all(lines), "a client ended without results"
    return [json.loads(line) for line in lines]


class TwoClientsTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clients = results_of_two_clients()

    def test_each_client_has_half_of_the_mesh(self):
        self.assertEqual([c["local_device_ids"] for c in self.clients], [[0, 1], [2, 3]])

    def test_dtensor_gathers_the_unsharded_tensor(self):
        for results in self.clients:
            self.assertEqual(results["same"], [True] * 7)

    def test_a_client_allocates_its_own_shards_and_no_more(self):
        for results in self.clients:
            self.assertEqual(results["shapes"], [[4096, 8192]] * 2)
            self.assertLessEqual(results["memory"], 0.55)
            self.assertGreaterEqual(results["memory"], 0.5, "the measurement must see the shards")

    def test_different_seeds_are_an_error_in_every_client(self):
        for results in self.clients:
            self.assertRegex(
                results["differing"], r"`seed` must be the same in every client.*10, 0.*11, 0"
            )

    def test_no_seed_is_an_error_unless_keras_is_seeded(self):
        for results in self.clients:
            self.assertRegex(results["unseeded"], "`seed` must be.*set_random_seed")
        first, second = (results["seeded"] for results in self.clients)
        self.assertIsInstance(first, list)
        self.assertEqual(first, second)


if __name__ == "__main__":
    absltest.main()
