"""MultiWorkerMirroredStrategy: each of two processes has the values of the undistributed model."""

import contextlib
import json
import pathlib
import tempfile

import numpy as np
from absl.testing import absltest, parameterized

from tests.support import processes
from tf_vsinit import reference

KERAS = {"tf_keras": "1", "keras_3": "0"}
WORKERS = 2
WHOLE = {
    "bare": reference.stateless_variance_scaling(
        [50, 6], [3, 0], distribution="uniform", dtype="float64"
    ),
    "hidden": reference.stateless_variance_scaling([8, 16], [1, 0], scale=2.0),
    "output": reference.stateless_variance_scaling(
        [16, 1], [2, 0], mode="fan_avg", distribution="uniform"
    ),
}


def run_workers(folder, legacy):
    addresses = processes.free_addresses(WORKERS)
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(
                processes.running(
                    "worker",
                    str(folder),
                    TF_USE_LEGACY_KERAS=legacy,
                    TF_CONFIG=json.dumps(
                        {
                            "cluster": {"worker": addresses},
                            "task": {"type": "worker", "index": task},
                        }
                    ),
                )
            )
            for task in range(WORKERS)
        ]
        for worker in workers:
            assert worker.wait() == 0


class MultiWorkerTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.values, cls.reports = {}, {}
        for keras, legacy in KERAS.items():
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                run_workers(folder, legacy)
                cls.values[keras] = [dict(np.load(folder / f"{i}.npz")) for i in range(WORKERS)]
                cls.reports[keras] = [
                    json.loads((folder / f"{i}.json").read_text()) for i in range(WORKERS)
                ]

    @parameterized.product(keras=tuple(KERAS), name=tuple(WHOLE))
    def test_every_worker_has_the_undistributed_values(self, keras, name):
        for values in self.values[keras]:
            self.assertEqual(values[name].tobytes(), WHOLE[name].tobytes())

    @parameterized.parameters(*KERAS)
    def test_every_worker_has_the_same_values_without_a_seed(self, keras):
        first, second = (values["unseeded"] for values in self.values[keras])
        self.assertTrue(np.any(first))
        self.assertEqual(first.tobytes(), second.tobytes())

    @parameterized.parameters(*KERAS)
    def test_training_converges_to_the_same_weights(self, keras):
        for report in self.reports[keras]:
            self.assertEqual(report["replicas"], WORKERS)
            self.assertLess(np.mean(report["losses"][-5:]), 0.1 * report["losses"][0])
        first, second = (values["trained"] for values in self.values[keras])
        self.assertEqual(first.tobytes(), second.tobytes())
        self.assertNotEqual(first.tobytes(), WHOLE["hidden"].tobytes())

    def test_model_fit_works_with_tf_keras_and_not_with_keras_3(self):
        # The documentation says so. One device in each worker makes no difference.
        for report in self.reports["tf_keras"]:
            self.assertIsNone(report["fit_error"])
        for report in self.reports["keras_3"]:
            self.assertRegex(report["fit_error"], r"(?s)ValueError: .*PerReplica")


if __name__ == "__main__":
    absltest.main()
