"""Replicas on several logical devices have the same values: OneDevice, Mirrored, CentralStorage."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.python.eager import context

import tf_vsinit
from tests.support import legacy_keras
from tf_vsinit import reference
from tf_vsinit.compat import v1

tf1 = tf.compat.v1

DEVICES = [f"/device:CPU:{i}" for i in range(3)]
STRATEGIES = {
    "one_device": lambda: tf.distribute.OneDeviceStrategy(DEVICES[1]),
    "mirrored": lambda: tf.distribute.MirroredStrategy(DEVICES),
    "central_storage": lambda: tf.distribute.experimental.CentralStorageStrategy(
        compute_devices=DEVICES, parameter_device=DEVICES[0]
    ),
}
REPLICAS = {"one_device": 1, "mirrored": len(DEVICES), "central_storage": len(DEVICES)}
COPIES = {**REPLICAS, "central_storage": 1}
KERNEL = reference.stateless_variance_scaling([8, 16], [1, 0], scale=2.0)


def setUpModule():
    # Another test in this process may have used TensorFlow already.
    context._reset_context()
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration() for _ in DEVICES],
    )


def make_model():
    """Makes a model of seeded and unseeded layers, which is the same at every call."""
    tf.keras.utils.set_random_seed(7)
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(16, "relu", kernel_initializer=tf_vsinit.HeNormal(seed=1)),
            tf.keras.layers.Dense(
                16, "relu", kernel_initializer=tf_vsinit.LecunUniform(), bias_initializer="zeros"
            ),
            tf.keras.layers.Dense(1, kernel_initializer=tf_vsinit.GlorotNormal()),
        ]
    )
    model.build((None, 8))
    return model


def dataset():
    x = tf.random.stateless_normal([240, 8], [1, 2])
    return tf.data.Dataset.from_tensor_slices((x, tf.reduce_sum(x, 1, keepdims=True))).batch(24)


def copies(strategy, variable):
    """Returns the values of all copies of a variable of TensorFlow or Keras."""
    if not callable(variable.value):
        variable = variable.value  # A variable of Keras 3.
    return [value.numpy() for value in strategy.experimental_local_results(variable)]


class ReplicasTest(parameterized.TestCase):
    def check_same(self, values, expected):
        self.assertTrue(np.any(expected))
        for value in values:
            self.assertEqual(value.tobytes(), np.asarray(expected).tobytes())

    @parameterized.parameters(*STRATEGIES)
    def test_a_scope_and_reinitialize_give_the_undistributed_values(self, name):
        def make():
            return tf.keras.Sequential(
                [tf.keras.Input([8]), tf.keras.layers.Dense(4), tf.keras.layers.Dense(2)]
            )

        with tf_vsinit.scope(seed=1):
            plain = make()
        strategy = STRATEGIES[name]()
        with strategy.scope(), tf_vsinit.scope(seed=1):
            in_scope = make()
        with strategy.scope():
            drawn_again = make()
        tf_vsinit.reinitialize(drawn_again, seed=1)
        for model in (in_scope, drawn_again):
            for variable, wanted in zip(model.variables, plain.variables, strict=True):
                if "kernel" in wanted.name:
                    values = copies(strategy, variable)
                    self.assertLen(values, COPIES[name])
                    self.check_same(values, wanted.numpy())

    @parameterized.parameters(*STRATEGIES)
    def test_replicas_of_a_model_have_the_undistributed_values(self, name):
        strategy = STRATEGIES[name]()
        plain = make_model()
        with strategy.scope():
            model = make_model()
        for variable, expected in zip(model.variables, plain.variables, strict=True):
            values = copies(strategy, variable)
            self.assertLen(values, COPIES[name])
            if "bias" not in variable.name:
                self.check_same(values, expected.numpy())
        self.check_same(copies(strategy, model.variables[0]), KERNEL)

    @parameterized.parameters(*STRATEGIES)
    def test_training_converges_and_keeps_replicas_the_same(self, name):
        strategy = STRATEGIES[name]()
        with strategy.scope():
            model = make_model()
            model.compile(tf.keras.optimizers.SGD(0.03), "mse")
        losses = model.fit(dataset(), epochs=10, verbose=0).history["loss"]
        self.assertLess(losses[-1], 0.1 * losses[0])
        for variable in model.trainable_variables:
            values = copies(strategy, variable)
            self.check_same(values, values[0])

    @parameterized.product(
        name=tuple(STRATEGIES), dtype=(tf.float16, tf.bfloat16, tf.float32, tf.float64)
    )
    def test_replicas_of_a_variable_have_its_values(self, name, dtype):
        strategy = STRATEGIES[name]()
        initializer = tf_vsinit.HeNormal(seed=1)
        expected = reference.stateless_variance_scaling(
            [8, 16], [1, 0], scale=2.0, dtype=dtype.name
        )
        with strategy.scope():
            variables = [
                tf.Variable(initializer([8, 16], dtype)),
                tf.Variable(lambda: initializer([8, 16], dtype)),
            ]
        for variable in variables:
            self.check_same(copies(strategy, variable), expected)

    @parameterized.parameters(*STRATEGIES)
    def test_replicas_without_a_seed_are_the_same(self, name):
        # TensorFlow calls the initializer for the variable and again for each replica.
        strategy = STRATEGIES[name]()
        with strategy.scope():
            variable = tf.Variable(lambda: tf_vsinit.HeNormal()([8, 16]))
        values = copies(strategy, variable)
        self.check_same(values, values[0])

    @parameterized.parameters(*STRATEGIES)
    def test_every_replica_draws_the_same(self, name):
        strategy = STRATEGIES[name]()
        initializer = tf_vsinit.HeNormal(seed=1)

        @tf.function
        def draw_on_every_replica():
            return strategy.run(lambda: initializer([8, 16]))

        values = strategy.experimental_local_results(draw_on_every_replica())
        self.assertLen(values, REPLICAS[name])
        self.check_same([value.numpy() for value in values], KERNEL)

    @parameterized.product(name=tuple(STRATEGIES), seed=(None, 3))
    def test_replicas_in_a_v1_graph_have_the_undistributed_values(self, name, seed):
        def values(strategy):
            with tf.Graph().as_default(), strategy.scope():
                tf1.set_random_seed(5)
                variable = tf1.get_variable("v", [8, 16], initializer=v1.he_normal(seed=seed))
                with tf1.Session() as session:
                    session.run(tf1.global_variables_initializer())
                    return session.run(strategy.experimental_local_results(variable))

        (expected,) = values(tf.distribute.get_strategy())
        got = values(STRATEGIES[name]())
        self.assertLen(got, COPIES[name])
        self.check_same(got, expected)

    def test_shards_of_a_v1_variable_in_central_storage_join_to_the_whole(self):
        strategy = STRATEGIES["central_storage"]()
        with tf.Graph().as_default(), tf1.Session() as session:
            with strategy.scope():
                shards = tf1.get_variable(
                    "v",
                    [10, 16],
                    initializer=v1.he_normal(seed=3),
                    partitioner=tf1.fixed_size_partitioner(3),
                )
            whole = v1.he_normal(seed=3)([10, 16])
            session.run(tf1.global_variables_initializer())
            self.assertLen(list(shards), 3)
            self.check_same([np.concatenate(session.run(list(shards)))], session.run(whole))


class LegacyKerasTest(legacy_keras.LegacyKerasTest):
    """Runs this file with tf_keras."""


if __name__ == "__main__":
    absltest.main()
