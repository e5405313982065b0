"""Layers and models take the initializers, with Keras 3 and with tf_keras."""

import pathlib
import re
import sys
import tempfile
import types
import unittest
import unittest.mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import legacy_keras, processes, repository
from tests.support.initializer_names import NAMES

keras = tf.keras
layers = tf.keras.layers
stock = tf.keras.initializers

DOCUMENT = repository.ROOT / "docs" / "distributed.md"


def kernel(initializer):
    return dict(kernel_initializer=initializer)


def recurrent(initializer):
    return dict(kernel_initializer=initializer, recurrent_initializer=initializer)


def depthwise(initializer):
    return dict(depthwise_initializer=initializer)


def separable(initializer):
    return dict(depthwise_initializer=initializer, pointwise_initializer=initializer)


# Name, a function from an initializer to a layer, and the shape or shapes of its inputs.
LAYERS = (
    ("Dense", lambda i: layers.Dense(5, bias_initializer=i, **kernel(i)), (2, 7)),
    ("Conv1D", lambda i: layers.Conv1D(5, 3, **kernel(i)), (2, 9, 4)),
    ("Conv2D", lambda i: layers.Conv2D(5, 3, **kernel(i)), (2, 9, 9, 4)),
    ("Conv2DGroups", lambda i: layers.Conv2D(6, 3, groups=2, **kernel(i)), (2, 9, 9, 4)),
    ("Conv3D", lambda i: layers.Conv3D(5, 3, **kernel(i)), (2, 5, 5, 5, 4)),
    ("Conv1DTranspose", lambda i: layers.Conv1DTranspose(5, 3, **kernel(i)), (2, 9, 4)),
    ("Conv2DTranspose", lambda i: layers.Conv2DTranspose(5, 3, **kernel(i)), (2, 9, 9, 4)),
    ("Conv3DTranspose", lambda i: layers.Conv3DTranspose(5, 3, **kernel(i)), (2, 5, 5, 5, 4)),
    ("DepthwiseConv1D", lambda i: layers.DepthwiseConv1D(3, **depthwise(i)), (2, 9, 4)),
    ("DepthwiseConv2D", lambda i: layers.DepthwiseConv2D(3, **depthwise(i)), (2, 9, 9, 4)),
    ("SeparableConv1D", lambda i: layers.SeparableConv1D(5, 3, **separable(i)), (2, 9, 4)),
    ("SeparableConv2D", lambda i: layers.SeparableConv2D(5, 3, **separable(i)), (2, 9, 9, 4)),
    ("Embedding", lambda i: layers.Embedding(11, 5, embeddings_initializer=i), (2, 3)),
    ("SimpleRNN", lambda i: layers.SimpleRNN(5, **recurrent(i)), (2, 3, 4)),
    ("LSTM", lambda i: layers.LSTM(5, **recurrent(i)), (2, 3, 4)),
    ("GRU", lambda i: layers.GRU(5, **recurrent(i)), (2, 3, 4)),
    ("ConvLSTM1D", lambda i: layers.ConvLSTM1D(5, 3, **recurrent(i)), (2, 3, 6, 4)),
    ("ConvLSTM2D", lambda i: layers.ConvLSTM2D(5, 3, **recurrent(i)), (2, 3, 6, 6, 4)),
    ("Bidirectional", lambda i: layers.Bidirectional(layers.LSTM(5, **recurrent(i))), (2, 3, 4)),
    ("TimeDistributed", lambda i: layers.TimeDistributed(layers.Dense(5, **kernel(i))), (2, 3, 4)),
    ("PReLU", lambda i: layers.PReLU(alpha_initializer=i), (2, 6)),
    (
        "BatchNormalization",
        lambda i: layers.BatchNormalization(beta_initializer=i, gamma_initializer=i),
        (2, 6),
    ),
    (
        "LayerNormalization",
        lambda i: layers.LayerNormalization(beta_initializer=i, gamma_initializer=i),
        (2, 6),
    ),
    (
        "EinsumDense",
        lambda i: layers.EinsumDense("abc,cde->abde", (None, 2, 5), **kernel(i)),
        (2, 3, 4),
    ),
    (
        "EinsumDenseFold",
        lambda i: layers.EinsumDense("abcd,cde->abe", (None, 5), **kernel(i)),
        (2, 3, 2, 4),
    ),
    (
        "EinsumDenseNoInputAxes",
        lambda i: layers.EinsumDense("abc,c->abc", (None, 4), **kernel(i)),
        (2, 3, 4),
    ),
    (
        "MultiHeadAttention",
        lambda i: layers.MultiHeadAttention(2, 3, bias_initializer=i, **kernel(i)),
        ((2, 4, 6), (2, 5, 6)),
    ),
) + (
    ()
    if legacy_keras.IN_USE
    else (
        (
            "GroupQueryAttention",
            lambda i: layers.GroupQueryAttention(3, 4, 2, **kernel(i)),
            ((2, 4, 6), (2, 5, 6)),
        ),
    )
)
LAYERS = tuple((name, name, make, shape) for name, make, shape in LAYERS)


def build(layer, shape):
    """Calls the layer on zeros, and returns its weights."""
    if isinstance(shape[0], tuple):
        layer(*[np.zeros(s, np.float32) for s in shape])
    else:
        layer(np.zeros(shape, np.float32))
    return [np.asarray(weight) for weight in layer.get_weights()]


class LayersTest(parameterized.TestCase):
    @parameterized.named_parameters(*LAYERS)
    def test_every_weight_equals_the_stock_weight(self, _, make, shape):
        # The bits are the stock ones only if the fans are the stock fans.
        for name, kwargs in (
            ("GlorotUniform", {}),
            ("HeUniform", {}),
            ("GlorotNormal", dict(stream="tensorflow")),
            ("LecunNormal", dict(stream="tensorflow")),
        ):
            ours = build(make(getattr(tf_vsinit, name)(seed=5, **kwargs)), shape)
            expected = build(make(getattr(stock, name)(seed=5)), shape)
            self.assertNotEmpty(ours)
            self.assertLen(ours, len(expected))
            for weight, stock_weight in zip(ours, expected, strict=True):
                np.testing.assert_array_equal(weight, stock_weight)

    @parameterized.named_parameters(*LAYERS)
    @absltest.skipIf(legacy_keras.IN_USE, "tf_keras draws the seed at the first call")
    def test_unseeded_weights_equal_the_stock_weights(self, _, make, shape):
        keras.utils.set_random_seed(17)
        ours = build(make(tf_vsinit.GlorotUniform()), shape)
        keras.utils.set_random_seed(17)
        expected = build(make(stock.GlorotUniform()), shape)
        for weight, stock_weight in zip(ours, expected, strict=True):
            np.testing.assert_array_equal(weight, stock_weight)

    @parameterized.named_parameters(*LAYERS)
    def test_a_layer_from_its_config_draws_the_same(self, _, make, shape):
        layer = make(tf_vsinit.HeNormal(seed=5))
        revived = type(layer).from_config(layer.get_config())
        for weight, again in zip(build(layer, shape), build(revived, shape), strict=True):
            np.testing.assert_array_equal(weight, again)

    @parameterized.parameters("float16", "bfloat16", "float64", "mixed_bfloat16")
    def test_a_dtype_policy_sets_the_dtype(self, policy):
        layer = layers.Dense(5, kernel_initializer=tf_vsinit.HeNormal(seed=5), dtype=policy)
        layer.build((2, 7))
        dtype = "float32" if policy.startswith("mixed") else policy
        drawn = tf_vsinit.HeNormal(seed=5)([7, 5], dtype)
        np.testing.assert_array_equal(np.asarray(layer.get_weights()[0]), np.asarray(drawn))

    @absltest.skipUnless(legacy_keras.HAS_AXES, "this Keras has no axes")
    def test_multi_head_attention_projections_have_unit_gain(self):
        # Fans from the axes give every query unit the variance of its inputs. The default fans of
        # the shape [256, 8, 32] would be off by the number of heads.
        layer = layers.MultiHeadAttention(8, 32, kernel_initializer=tf_vsinit.LecunNormal(seed=1))
        layer.build((2, 4, 256), (2, 4, 256))
        stddev = float(np.std(np.asarray(layer.query_dense.kernel)))
        self.assertAlmostEqual(stddev * np.sqrt(256), 1.0, delta=0.01)

    @absltest.skipUnless(legacy_keras.HAS_AXES, "this Keras has no axes")
    def test_einsum_dense_keeps_the_axes_of_the_initializer(self):
        for axes in (dict(input_axes=[0], output_axes=[1, 2]), dict(input_axes=[], output_axes=[])):
            weights = [
                build(
                    layers.EinsumDense(
                        "abc,cde->abde",
                        (None, 2, 5),
                        kernel_initializer=module.GlorotUniform(seed=5, **axes),
                    ),
                    (2, 3, 4),
                )[0]
                for module in (tf_vsinit, stock)
            ]
            np.testing.assert_array_equal(*weights)


def small_model():
    initializers = (
        tf_vsinit.HeNormal(seed=1),
        tf_vsinit.GlorotUniform(seed=2, stream="tensorflow"),
        tf_vsinit.VarianceScaling(0.5, "fan_out", "untruncated_normal", 3, stream="tensorflow"),
    )
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, activation="relu", kernel_initializer=initializers[0])(inputs)
    x = layers.Reshape((36, 4))(x)
    x = x + layers.MultiHeadAttention(2, 4, kernel_initializer=initializers[1])(x, x)
    x = layers.Flatten()(x)
    x = layers.Dense(3, kernel_initializer=initializers[2])(x)
    return keras.Model(inputs, x)


class ModelsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))

    def test_saved_model_file_loads_in_a_fresh_process(self):
        model = small_model()
        model.save(self.folder / "model.keras")
        x = np.random.RandomState(1).standard_normal((2, 8, 8, 1)).astype(np.float32)
        np.save(self.folder / "x.npy", x)
        processes.output_of(
            "-c",
            "import numpy as np, tensorflow as tf, tf_vsinit\n"
            "model = tf.keras.models.load_model('model.keras')\n"
            "assert type(model.layers[1].kernel_initializer) is tf_vsinit.HeNormal\n"
            "assert model.layers[1].kernel_initializer.stream == 'vsinit'\n"
            "assert model.layers[-1].kernel_initializer.stream == 'tensorflow'\n"
            "np.save('y.npy', model(np.load('x.npy')))\n"
            # The file holds the initializers as well as the weights.
            "fresh = tf.keras.Model.from_config(model.get_config())\n"
            "for a, b in zip(fresh.get_weights(), model.get_weights(), strict=True):\n"
            "  assert (a == b).all()\n",
            cwd=self.folder,
        )
        np.testing.assert_allclose(np.load(self.folder / "y.npy"), model(x), rtol=1e-5, atol=1e-6)

    def test_an_h5_file_of_tf_keras_needs_the_documented_line(self):
        dense = layers.Dense(3, kernel_initializer=tf_vsinit.HeNormal(seed=1))
        model = keras.Sequential([keras.Input((4,)), dense])
        model.save(self.folder / "model.h5")
        line = re.search(r"^ {4}(\S*load_model\(.*\))$", DOCUMENT.read_text(), re.MULTILINE)[1]
        without = "tf.keras.models.load_model('model.h5')"
        for load, is_ours in ((line, True), (without, not legacy_keras.IN_USE)):
            output = processes.output_of(
                "-c",
                "import numpy as np, tensorflow as tf, tf_vsinit\n"
                f"model = {load}\n"
                "np.save('kernel.npy', model.get_weights()[0])\n"
                "print(isinstance(model.layers[-1].kernel_initializer, tf_vsinit.HeNormal))\n",
                cwd=self.folder,
            )
            self.assertEndsWith(output, f"{is_ours}\n")
            np.testing.assert_array_equal(np.load(self.folder / "kernel.npy"), dense.kernel)

    def test_a_model_from_json_draws_the_same(self):
        model = small_model()
        revived = keras.models.model_from_json(model.to_json())
        self.assertIs(type(revived.layers[1].kernel_initializer), tf_vsinit.HeNormal)
        for weight, again in zip(model.get_weights(), revived.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, again)

    def test_a_cloned_model_has_the_same_weights(self):
        model = small_model()
        clone = keras.models.clone_model(model)
        for weight, again in zip(model.get_weights(), clone.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, again)

    def test_registered_names_give_our_initializers(self):
        layer = layers.Dense(5, kernel_initializer="tf_vsinit>HeNormal")
        self.assertIs(type(layer.kernel_initializer), tf_vsinit.HeNormal)
        layer.build((2, 7))

    def test_add_weight_in_a_subclassed_layer(self):
        class Scale(layers.Layer):
            def build(self, input_shape):
                self.w = self.add_weight(
                    name="w", shape=(input_shape[-1], 3), initializer=tf_vsinit.HeNormal(seed=4)
                )

            def call(self, x):
                return x @ self.w

        layer = Scale()
        layer(np.zeros((2, 7), np.float32))
        np.testing.assert_array_equal(
            np.asarray(layer.get_weights()[0]), tf_vsinit.HeNormal(seed=4)([7, 3])
        )

    @parameterized.parameters(False, True)
    def test_a_model_trains(self, run_eagerly):
        random = np.random.RandomState(1)
        x = random.standard_normal((64, 8, 8, 1)).astype(np.float32)
        y = random.randint(0, 3, 64)
        model = small_model()
        model.compile(
            "adam",
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            run_eagerly=run_eagerly,
        )
        losses = model.fit(x, y, epochs=3, batch_size=16, verbose=0, shuffle=False).history["loss"]
        self.assertLess(losses[-1], losses[0])

    def test_a_layer_built_inside_a_function(self):
        layer = layers.Dense(5, kernel_initializer=tf_vsinit.HeNormal(seed=5))

        @tf.function
        def first_call_builds(x):
            return layer(x)

        first_call_builds(tf.zeros([2, 7]))
        np.testing.assert_array_equal(
            np.asarray(layer.get_weights()[0]), tf_vsinit.HeNormal(seed=5)([7, 5])
        )

    @absltest.skipIf(legacy_keras.IN_USE, "tf_keras has no StatelessScope")
    def test_a_layer_in_a_stateless_scope(self):
        with keras.StatelessScope():
            layer = layers.Dense(5, kernel_initializer=tf_vsinit.HeNormal(seed=5))
            outputs = layer.compute_output_spec(keras.KerasTensor((2, 7)))
        self.assertEqual(outputs.shape, (2, 5))

    def test_clear_session_changes_no_values(self):
        before = tf_vsinit.HeNormal(seed=5)([7, 5])
        keras.backend.clear_session()
        np.testing.assert_array_equal(before, tf_vsinit.HeNormal(seed=5)([7, 5]))


@absltest.skipIf(legacy_keras.IN_USE, "the wheel of tf_keras has no tests")
class KerasOwnTest(absltest.TestCase):
    def test_the_tests_of_keras_pass_with_our_initializers(self):
        # The wheel has the tests, but not the helper that they import from their repository.
        conftest = types.ModuleType("conftest")
        conftest.skip_if_backend = lambda backend, reason: absltest.skipIf(
            backend == keras.backend.backend(), reason
        )
        with unittest.mock.patch.dict(sys.modules, {"conftest": conftest}):
            from keras.src.initializers import random_initializers_test

        class Initializers:
            def __getattr__(self, name):
                return getattr(tf_vsinit if name in NAMES else stock, name)

        suite = unittest.defaultTestLoader.loadTestsFromTestCase(
            random_initializers_test.RandomInitializersTest
        )
        with unittest.mock.patch.object(random_initializers_test, "initializers", Initializers()):
            result = suite.run(unittest.TestResult())
        self.assertGreaterEqual(result.testsRun, 10)
        self.assertEqual(result.failures + result.errors, [])


class LegacyKerasTest(legacy_keras.LegacyKerasTest):
    """Runs this file with tf_keras."""


if __name__ == "__main__":
    absltest.main()
