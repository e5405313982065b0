"""ParameterServerStrategy: the servers draw shards that join to the whole variable.

A coordinator with tf_keras and one with Keras 3 use the same two parameter servers and two workers.
A third coordinator uses a parameter server that has not loaded the library.
"""

import contextlib
import json
import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.programs import coordinator
from tests.support import processes
from tf_vsinit import reference

KERAS = ("tf_keras", "keras_3")
LARGE_MIB = 4 * np.prod(coordinator.LARGE) / 2**20
WHOLE = {
    "bare": reference.stateless_variance_scaling([1003, 40], [1, 0], scale=2.0),
    "bfloat16": reference.stateless_variance_scaling(
        [50, 6, 7], [4, 0], scale=2.0, distribution="uniform", dtype="bfloat16"
    ),
    "dense": reference.stateless_variance_scaling(
        [37, 24], [2, 0], mode="fan_avg", distribution="uniform"
    ),
    "embedding": reference.stateless_variance_scaling([1000, 16], [3, 0]),
    "like_stock": tf.keras.initializers.GlorotNormal(seed=5)([203, 40]).numpy(),
}


class ParameterServerTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.enter_context(tempfile.TemporaryDirectory()))
        first, second, stranger, *workers = processes.free_addresses(5)
        cluster = json.dumps({"ps": [first, second], "worker": workers})
        other_cluster = json.dumps({"ps": [first, stranger], "worker": workers})
        with contextlib.ExitStack() as stack:

            def start(*arguments, **environment):
                return stack.enter_context(processes.running(*arguments, **environment))

            servers = [
                start("server", cluster, job, task, "tf_vsinit")
                for job in ("ps", "worker")
                for task in ("0", "1")
            ]
            start("server", other_cluster, "ps", "1")
            pids = json.dumps([server.pid for server in servers[:2]])
            for name, task, used_cluster, legacy in (
                ("tf_keras", "all", cluster, "1"),
                ("keras_3", "all", cluster, "0"),
                ("stranger", "error", other_cluster, "0"),
            ):
                (folder / name).mkdir()
                process = start(
                    "coordinator",
                    *(used_cluster, pids, str(folder / name), task),
                    TF_USE_LEGACY_KERAS=legacy,
                )
                assert process.wait() == 0, name
        cls.reports = {
            name: json.loads((folder / name / "report.json").read_text())
            for name in (*KERAS, "stranger")
        }
        cls.values = {
            (keras, partitioner): dict(np.load(folder / keras / f"{partitioner}.npz"))
            for keras in KERAS
            for partitioner in coordinator.PARTITIONERS
        }

    @parameterized.product(
        keras=KERAS, partitioner=tuple(coordinator.PARTITIONERS), name=tuple(WHOLE)
    )
    def test_shards_join_to_the_whole_variable(self, keras, partitioner, name):
        joined = self.values[keras, partitioner][name]
        self.assertEqual(joined.shape, WHOLE[name].shape)
        self.assertEqual(joined.tobytes(), WHOLE[name].tobytes())

    @parameterized.product(keras=KERAS, partitioner=tuple(coordinator.PARTITIONERS))
    def test_shards_without_a_seed_join_to_one_variable(self, keras, partitioner):
        values = self.values[keras, partitioner]
        self.assertEqual(values["unseeded"].tobytes(), values["unseeded_whole"].tobytes())

    @parameterized.product(keras=KERAS, partitioner=tuple(coordinator.PARTITIONERS))
    def test_both_servers_have_shards_of_every_variable(self, keras, partitioner):
        for name, devices in self.reports[keras][partitioner].items():
            self.assertEqual(
                set(devices),
                {f"/job:ps/replica:0/task:{task}/device:CPU:0" for task in (0, 1)},
                name,
            )
        counts = {name: len(d) for name, d in self.reports[keras][partitioner].items()}
        if partitioner == "fixed":
            self.assertEqual(set(counts.values()), {3})
        else:
            self.assertGreater(counts["embedding"], counts["dense"])

    @parameterized.parameters("bare", "dense")
    def test_a_server_draws_its_own_shards_and_nothing_else(self, name):
        rises = self.reports["tf_keras"]["memory"][name]
        shard = LARGE_MIB / 3
        few, many = sorted([rises["ps0"], rises["ps1"]])
        self.assertLess(rises["coordinator"], 8)
        # Linux counts resident pages in batches, so a rise can read slightly low.
        self.assertBetween(few, 0.99 * shard, 1.25 * shard)
        self.assertBetween(many, 1.99 * shard, 2.25 * shard)

    def test_the_coordinator_draws_the_whole_of_a_keras_3_layer(self):
        # Keras does so for every initializer, and the documentation says so.
        rises = self.reports["keras_3"]["memory"]
        self.assertLess(rises["bare"]["coordinator"], 8)
        self.assertGreater(rises["dense"]["coordinator"], LARGE_MIB)

    def test_tensorflow_asks_only_functions_of_a_shard_for_shards(self):
        # TensorFlow does so for every initializer, and the documentation says so.
        rises = self.reports["tf_keras"]["memory"]
        self.assertGreater(rises["no_shape"]["coordinator"], LARGE_MIB)
        self.assertLess(rises["function_of_nothing"]["coordinator"], 8)
        for server in ("ps0", "ps1"):
            self.assertGreater(rises["function_of_nothing"][server], LARGE_MIB)

    @parameterized.parameters(
        ("tf_keras", "whole"),
        ("tf_keras", "shards"),
        ("tf_keras", "shards_by_hand"),
        ("tf_keras", "fit"),
        ("tf_keras", "fit_whole"),
        ("keras_3", "whole"),
        ("keras_3", "shards_by_hand"),
    )
    def test_training_converges(self, keras, way):
        losses = self.reports[keras]["training"][way]["losses"]
        self.assertLess(np.mean(losses[-5:]), 0.1 * losses[0])

    @parameterized.parameters(
        ("shards", "AttributeError: .*'ShardedVariable' object has no attribute 'handle'"),
        ("fit", "ValueError: .*ClusterCoordinator.create_per_worker_dataset"),
        ("fit_whole", "ValueError: .*ClusterCoordinator.create_per_worker_dataset"),
    )
    def test_keras_3_does_not_support_training_with_shards(self, way, message):
        self.assertRegex(self.reports["keras_3"]["training"][way]["error"], f"(?s){message}")

    @parameterized.parameters(*KERAS)
    def test_a_variable_larger_than_the_shape_of_its_initializer_is_an_error(self, keras):
        self.assertRegex(self.reports[keras]["errors"]["shape"], "^ValueError: .*shape")

    def test_a_seed_generator_for_several_shards_is_an_error(self):
        error = self.reports["keras_3"]["errors"]["seed_generator"]
        self.assertRegex(error, "^InvalidArgumentError: .*`seed`.*SeedGenerator")

    def test_the_error_names_a_server_without_the_library_and_the_remedy(self):
        error = self.reports["stranger"]["eager"]
        self.assertIsNotNone(error, "a server without the library drew values")
        self.assertStartsWith(error, "NotFoundError: ")
        self.assertIn("import tf_vsinit", error)
        self.assertIn("/job:ps/replica:0/task:1", error)

    def test_the_error_of_a_function_names_the_server_and_the_op_it_lacks(self):
        error = self.reports["stranger"]["function"]
        self.assertIsNotNone(error, "a server without the library drew values")
        self.assertIn("Op type not registered 'VsinitStatelessVarianceScaling'", error)
        self.assertIn("/job:ps/replica:0/task:1", error)


if __name__ == "__main__":
    absltest.main()
