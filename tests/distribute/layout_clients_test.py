"""The argument `layout` on a mesh of two clients, each a process of its own with two devices."""

import contextlib
import json
import subprocess
import sys
import tempfile
import threading

from absl.testing import absltest

from tests.support import processes


@contextlib.contextmanager
def client(number, addresses, log):
    """Runs a client, and ends it with the context or after the time limit."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.programs.layout_client", str(number)],
        env=processes.environment(DTENSOR_JOBS=",".join(addresses), DTENSOR_CLIENT_ID=str(number)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    limit = threading.Timer(processes.TIMEOUT_S, process.kill)
    limit.start()
    with process:
        try:
            yield process
        finally:
            limit.cancel()
            process.kill()


def results_of_two_clients():
    # Sorted, as DTensor wants them.
    addresses = sorted(processes.free_addresses(2))
    with contextlib.ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in addresses]
        clients = [
            stack.enter_context(client(number, addresses, log)) for number, log in enumerate(logs)
        ]
        lines = [process.stdout.readline() for process in clients]
        if not all(lines):
            for log in logs:
                log.seek(0)
            raise AssertionError("\n\n".join(log.read()[-5000:] for log in logs))
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

    def test_a_client_allocates_its_own_pieces_and_no_more(self):
        for results in self.clients:
            self.assertEqual(results["shapes"], [[4096, 8192]] * 2)
            self.assertLessEqual(results["memory"], 0.55)
            self.assertGreaterEqual(results["memory"], 0.5, "the pieces themselves must show")

    def test_seeds_that_differ_are_an_error_in_every_client(self):
        for results in self.clients:
            self.assertRegex(
                results["differing"], r"`seed` must be the same in every client.*10, 0.*11, 0"
            )

    def test_none_is_an_error_unless_keras_is_seeded(self):
        for results in self.clients:
            self.assertRegex(results["unseeded"], "`seed` must be.*set_random_seed")
        first, second = (results["seeded"] for results in self.clients)
        self.assertIsInstance(first, list)
        self.assertEqual(first, second)


if __name__ == "__main__":
    absltest.main()
