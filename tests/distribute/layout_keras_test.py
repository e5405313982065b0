"""What Keras 3 and tf_keras do with layouts, and what they get from the initializers.

The tests of Keras 3 say what Keras 3.15 does on TensorFlow, including what it lacks.
"""

import contextlib
import functools
import time
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.dtensor.python import api
from tensorflow.experimental import dtensor

import tf_vsinit
from tests.support import legacy_keras, processes
from tf_vsinit import functional, reference

DEVICE_0 = "/job:localhost/replica:0/task:0/device:CPU:0"


def setUpModule():
    # Another test in this process may have used TensorFlow already.
    dtensor.initialize_accelerator_system(
        "CPU", num_logical_cpu_devices=4, experimental_reset_context=True
    )


def tearDownModule():
    dtensor.shutdown_accelerator_system()
    api._reset()  # Otherwise the next test in this process meets a device that is gone.


def mesh_of_four():
    return dtensor.create_mesh(
        [("batch", 2), ("model", 2)], devices=[f"CPU:{number}" for number in range(4)]
    )


def layout_of(*specs):
    return dtensor.Layout([spec or dtensor.UNSHARDED for spec in specs], mesh_of_four())


def he_normal(shape, seed=1):
    return reference.stateless_variance_scaling(shape, [seed, 0], scale=2.0)


def shards_of(value):
    return [shard.numpy() for shard in dtensor.unpack(tf.convert_to_tensor(value))]


@contextlib.contextmanager
def drawn():
    """Collects the device and the shape of every tensor that the op draws."""
    op, made = functional._op, []

    def recording(*args, **kwargs):
        output = op(*args, **kwargs)
        made.append((output.device, tuple(output.shape)))
        return output

    with mock.patch.object(functional, "_op", recording):
        yield made


def local_devices():
    return mesh_of_four().local_devices()


class KerasLayoutTestCase(parameterized.TestCase):
    def assert_columns_on_model(self, value, whole):
        """Checks a matrix cut into two halves of columns by the mesh dimension `model`."""
        self.assertEqual(dtensor.fetch_layout(value), layout_of(None, "model"))
        left, right = np.split(whole, 2, axis=1)
        for shard, expected in zip(shards_of(value), (left, right, left, right), strict=True):
            np.testing.assert_array_equal(shard, expected)


@absltest.skipUnless(legacy_keras.IN_USE, "Keras 3 layers take no layouts")
class LegacyLayersTest(KerasLayoutTestCase):
    def test_a_layer_with_a_kernel_layout_draws_the_shards(self):
        layer = tf.keras.layers.Dense(
            8,
            kernel_initializer=tf_vsinit.HeNormal(seed=1),
            kernel_layout=layout_of(None, "model"),
            bias_layout=layout_of("model"),
        )
        with drawn() as made:
            layer.build([None, 6])
        self.assertIsInstance(layer.kernel, dtensor.DVariable)
        self.assert_columns_on_model(layer.kernel, he_normal([6, 8]))
        self.assertEqual(made, [(device, (6, 4)) for device in local_devices()])

        inputs = np.arange(24, dtype=np.float32).reshape(4, 6)
        outputs = layer(dtensor.relayout(inputs, layout_of("batch", None)))
        rows = shards_of(dtensor.relayout(outputs, layout_of(None, None)))[0]
        np.testing.assert_allclose(rows, inputs @ he_normal([6, 8]), rtol=1e-5)

    @parameterized.parameters(
        dict(
            make=functools.partial(
                tf.keras.layers.Embedding,
                10,
                8,
                embeddings_initializer=tf_vsinit.HeNormal(seed=1),
            ),
            argument="embeddings",
            specs=("batch", "model"),
            shape=(10, 8),
        ),
        dict(
            make=functools.partial(
                tf.keras.layers.Conv2D,
                8,
                3,
                kernel_initializer=tf_vsinit.HeNormal(seed=1),
                use_bias=False,
            ),
            argument="kernel",
            specs=(None, None, "batch", "model"),
            shape=(3, 3, 4, 8),
        ),
    )
    def test_other_layers_draw_the_shards(self, make, argument, specs, shape):
        layer = make(**{f"{argument}_layout": layout_of(*specs)})
        layer.build([None, 5, 5, 4])
        whole = he_normal(shape)
        quarters = [q for half in np.split(whole, 2, axis=-2) for q in np.split(half, 2, axis=-1)]
        variable = getattr(layer, argument)
        for shard, expected in zip(shards_of(variable), quarters, strict=True):
            np.testing.assert_array_equal(shard, expected)

    def test_a_seed_suffices_without_set_random_seed_unlike_stock(self):
        layout = layout_of(None, "model")
        with self.assertRaisesRegex(ValueError, "set_random_seed"):
            tf.keras.initializers.HeNormal(seed=1)([6, 8], layout=layout)
        value = tf_vsinit.HeNormal(seed=1)([6, 8], layout=layout)
        self.assert_columns_on_model(value, he_normal([6, 8]))

    def test_a_layout_map_draws_the_whole_and_cuts_it(self):
        layout_map = tf.keras.dtensor.experimental.LayoutMap(mesh_of_four())
        layout_map["cut.kernel"] = layout_of(None, "model")
        initializer = tf_vsinit.HeNormal(seed=1)
        dense = functools.partial(tf.keras.layers.Dense, 8, kernel_initializer=initializer)
        with drawn() as made, layout_map.scope():
            model = tf.keras.Sequential([dense(name="cut", input_shape=(6,)), dense(name="other")])
        cut, other = (layer.kernel for layer in model.layers)
        self.assert_columns_on_model(cut, he_normal([6, 8]))
        self.assertEqual(dtensor.fetch_layout(other), layout_of(None, None))
        for shard in shards_of(other):
            np.testing.assert_array_equal(shard, he_normal([8, 8]))
        self.assertEqual(made, [(DEVICE_0, (6, 8)), (DEVICE_0, (8, 8))])


@absltest.skipIf(legacy_keras.IN_USE, "tf_keras has no keras.distribution")
class TensorLayoutTest(KerasLayoutTestCase):
    def setUp(self):
        super().setUp()
        distribution = tf.keras.distribution
        self.device_mesh = distribution.DeviceMesh((2, 2), ["batch", "model"])
        self.columns = distribution.TensorLayout([None, "model"], self.device_mesh)
        self.initializer = tf_vsinit.HeNormal(seed=1)
        self.whole = he_normal([6, 8])

    def test_the_initializer_draws_the_shards(self):
        with drawn() as made:
            value = self.initializer([6, 8], layout=self.columns)
        self.assert_columns_on_model(value, self.whole)
        self.assertEqual(made, [(device, (6, 4)) for device in local_devices()])

    def test_a_layout_of_another_rank_is_an_error(self):
        with self.assertRaisesRegex(ValueError, r"`layout`.*3 axes of shape=\[6, 8, 2\]"):
            self.initializer([6, 8, 2], layout=self.columns)

    def test_a_layout_without_a_mesh_is_an_error(self):
        self.assert_error(
            tf.keras.distribution.TensorLayout([None, "model"]), "device mesh is not set"
        )

    def test_a_mesh_dimension_for_two_axes_is_an_error(self):
        layout = tf.keras.distribution.TensorLayout(["model", "model"], self.device_mesh)
        self.assert_error(layout, "model was repeated")

    def assert_error(self, layout, reason):
        with drawn() as made, self.assertRaises(ValueError) as caught:
            self.initializer([6, 8], layout=layout)
        for word in ("Argument `layout`", reason, f"layout={layout!r}"):
            self.assertIn(word, str(caught.exception))
        self.assertEmpty(made)

    def test_the_error_before_dtensor_is_initialized_says_what_to_call(self):
        program = """
import keras, tf_vsinit
mesh = keras.distribution.DeviceMesh((1,), ["x"], ["cpu:0"])
tf_vsinit.HeNormal(seed=1)([6], layout=keras.distribution.TensorLayout(["x"], mesh))
"""
        result = processes.run("-c", program)
        self.assertRegex(result.stderr, "ValueError.*run dtensor.initialize_accelerator_system")

    def test_a_layout_from_a_layout_map_draws_the_shards(self):
        layout_map = tf.keras.distribution.LayoutMap(self.device_mesh)
        layout_map[".*kernel"] = (None, "model")
        parallel = tf.keras.distribution.ModelParallel(layout_map=layout_map)
        layer = tf.keras.layers.Dense(8)
        layer.build([None, 6])
        layout = parallel.get_variable_layout(layer.kernel)
        value = self.initializer(layer.kernel.shape, layout=layout)
        self.assert_columns_on_model(value, self.whole)

    def test_a_keras_variable_in_a_default_mesh_holds_the_dtensor(self):
        draw = functools.partial(self.initializer, layout=self.columns)
        with dtensor.default_mesh(self.device_mesh.backend_mesh):
            variable = tf.keras.Variable(draw, shape=(6, 8))
        self.assert_columns_on_model(variable.value, self.whole)

    def test_a_keras_variable_outside_a_default_mesh_holds_an_ordinary_copy(self):
        draw = functools.partial(self.initializer, layout=self.columns)
        variable = tf.keras.Variable(draw, shape=(6, 8))
        self.assertEqual(variable.value.device, DEVICE_0)
        # TensorFlow copies in the background, and until then the variable reads as empty, as does
        # `tf.Variable(a_dtensor)`.
        deadline = time.monotonic() + 30
        while variable.numpy().size == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        np.testing.assert_array_equal(variable.numpy(), self.whole)

    @parameterized.parameters(
        dict(optimizer="SGD", in_a_function=True), dict(optimizer="Adam", in_a_function=False)
    )
    def test_layers_in_a_default_mesh_train_as_ordinary_ones(self, **options):
        inputs = np.random.default_rng(1).normal(size=(8, 6)).astype(np.float32)
        model = self.make_model(self.initializer)
        expected = self.train(model, inputs, **options)
        with dtensor.default_mesh(self.device_mesh.backend_mesh):
            model = self.make_model(functools.partial(self.initializer, layout=self.columns))
            kernel = model.layers[0].kernel.value
            self.assert_columns_on_model(kernel, self.whole)
            inputs = dtensor.relayout(inputs, layout_of("batch", None))
            losses = self.train(model, inputs, **options)
            self.assertEqual(dtensor.fetch_layout(kernel), layout_of(None, "model"))
        np.testing.assert_allclose(losses, expected, rtol=1e-5)
        self.assertLess(losses[-1], losses[0] / 1.5)

    def test_fit_and_get_weights_fail_in_a_default_mesh(self):
        with dtensor.default_mesh(self.device_mesh.backend_mesh):
            model = self.make_model(functools.partial(self.initializer, layout=self.columns))
            model.compile("sgd", "mse")
            with self.assertRaises(tf.errors.OpError):
                model.fit(np.ones([8, 6]), np.zeros([8, 8]), verbose=0)
            with self.assertRaises(tf.errors.UnimplementedError):
                model.get_weights()

    def make_model(self, initializer):
        layer = tf.keras.layers.Dense(8, kernel_initializer=initializer)
        return tf.keras.Sequential([tf.keras.Input([6]), layer])

    def train(self, model, inputs, optimizer, in_a_function):
        optimizer = getattr(tf.keras.optimizers, optimizer)(0.1)
        optimizer.build(model.trainable_variables)

        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(model(inputs) ** 2)
            variables = [variable.value for variable in model.trainable_variables]
            optimizer.apply(tape.gradient(loss, variables))
            return loss

        step = tf.function(step) if in_a_function else step
        return [float(step()) for _ in range(10)]


@absltest.skipIf(legacy_keras.IN_USE, "tf_keras has no keras.distribution")
class KerasDistributionTest(KerasLayoutTestCase):
    """On TensorFlow, Keras 3.15 ignores distributions: variables are whole, on one device."""

    def setUp(self):
        super().setUp()
        self.layouts = []

        def recording(initializer, shape, dtype=None, layout=None):
            self.layouts.append(layout)
            return initializer(shape, dtype, layout)

        self.initializer = functools.partial(recording, tf_vsinit.HeNormal(seed=1))
        self.device_mesh = tf.keras.distribution.DeviceMesh((2, 2), ["batch", "model"])
        self.columns = tf.keras.distribution.TensorLayout([None, "model"], self.device_mesh)

    def distributions(self):
        layout_map = tf.keras.distribution.LayoutMap(self.device_mesh)
        layout_map[".*kernel"] = self.columns
        yield tf.keras.distribution.DataParallel()
        yield tf.keras.distribution.ModelParallel(layout_map=layout_map)

    def assert_ordinary(self, variable):
        self.assertEqual(self.layouts, [None])
        self.assertFalse(dtensor.is_dtensor(variable.value))
        self.assertEqual(variable.value.device, DEVICE_0)
        np.testing.assert_array_equal(variable.numpy(), he_normal([6, 8]))

    def test_scopes_make_ordinary_variables_with_the_usual_values(self):
        for distribution in self.distributions():
            self.layouts.clear()
            with distribution.scope():
                layer = tf.keras.layers.Dense(8, kernel_initializer=self.initializer)
                layer.build([None, 6])
            self.assert_ordinary(layer.kernel)

    def test_a_variable_ignores_its_layout(self):
        variable = tf.keras.Variable(self.initializer, shape=(6, 8), layout=self.columns)
        self.assert_ordinary(variable)

    def test_fit_in_a_scope_gives_the_losses_of_fit_without_it(self):
        inputs, targets = np.ones([8, 6], np.float32), np.zeros([8, 8], np.float32)

        def fit():
            layer = tf.keras.layers.Dense(8, kernel_initializer=tf_vsinit.HeNormal(seed=1))
            model = tf.keras.Sequential([tf.keras.Input([6]), layer])
            model.compile("sgd", "mse")
            return model.fit(inputs, targets, epochs=3, verbose=0).history["loss"]

        expected = fit()
        for distribution in self.distributions():
            with distribution.scope():
                self.assertEqual(fit(), expected)

    def test_keras_lacks_functions_for_distribution(self):
        distribution = tf.keras.distribution
        for function in (
            functools.partial(distribution.distribute_tensor, tf.zeros([6, 8]), self.columns),
            distribution.initialize,
            distribution.get_device_count,
        ):
            with self.assertRaisesRegex(AttributeError, "distribution_lib.* has no attribute"):
                function()

    def test_keras_lacks_layouts_of_outputs(self):
        layout_map = tf.keras.distribution.LayoutMap(self.device_mesh)
        layout_map["layer/output"] = ("batch", None)
        with tf.keras.distribution.ModelParallel(layout_map=layout_map).scope():
            layer = tf.keras.layers.Dense(8, name="layer")
            with self.assertRaisesRegex(AttributeError, "distribute_tensor"):
                layer(tf.zeros([4, 6]))


class LegacyKerasTest(legacy_keras.LegacyKerasTest):
    """Runs this file with tf_keras."""


if __name__ == "__main__":
    absltest.main()
