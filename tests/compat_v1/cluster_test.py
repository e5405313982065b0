"""A TensorFlow 1 cluster: the servers draw their own shards of a variable."""

import contextlib
import json
import pathlib
import tempfile

import numpy as np
from absl.testing import absltest, parameterized

from tests.support import processes

PROGRAM = "compat_v1_cluster"
SCOPES = ("reference", "resource")
AXES = {"rows": 0, "columns": 1, "large": 0}


class ClusterTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.enter_context(tempfile.TemporaryDirectory()))
        addresses = processes.free_addresses(4)
        cluster = json.dumps(
            {"ps": addresses[:2], "stranger": addresses[2:3], "worker": addresses[3:]}
        )
        with contextlib.ExitStack() as stack:
            for job, task in (("ps", "0"), ("ps", "1"), ("stranger", "0")):
                stack.enter_context(processes.running(PROGRAM, cluster, job, task))
            worker = stack.enter_context(processes.running(PROGRAM, cluster, "worker", str(folder)))
            assert worker.wait() == 0
        cls.report = json.loads((folder / "report.json").read_text())
        cls.values = {file.stem: dict(np.load(file)) for file in folder.glob("*.npz")}

    @parameterized.product(scope=SCOPES, name=tuple(AXES))
    def test_shards_on_two_servers_join_to_the_whole_variable(self, scope, name):
        whole = self.values[f"{scope}_whole"][name]
        shards = [self.values[f"{scope}_shards"][f"{scope}/{name}/part_{i}"] for i in range(3)]
        joined = np.concatenate(shards, AXES[name])
        self.assertGreater(np.count_nonzero(whole), 0.99 * whole.size)
        self.assertEqual(joined.tobytes(), whole.tobytes())

    @parameterized.parameters(*SCOPES)
    def test_every_server_draws_its_own_shards(self, scope):
        devices, drawn_on = self.report[scope]["devices"], self.report[scope]["drawn_on"]
        self.assertLen(devices, 9)
        self.assertEqual(set(devices.values()), {f"/job:ps/task:{task}" for task in range(2)})
        for name, device in devices.items():
            job, task = device.strip("/").split("/")
            self.assertRegex(drawn_on[name], f"/{job}/.*/{task}/")

    @parameterized.parameters(*SCOPES)
    def test_training_converges(self, scope):
        losses = self.report[scope]["losses"]
        self.assertLen(losses, 20)
        self.assertLess(losses[-1], 1e-3 * losses[0])

    def test_the_error_of_a_server_without_the_library_names_the_op(self):
        self.assertIsNotNone(self.report["error"], "a server without the library drew values")
        error_type, message = self.report["error"]
        self.assertEqual(error_type, "NotFoundError")
        self.assertIn("Op type not registered 'VsinitStatelessVarianceScaling'", message)
        self.assertIn("/job:stranger/replica:0/task:0", message)


if __name__ == "__main__":
    absltest.main()
