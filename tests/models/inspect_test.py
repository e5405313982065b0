"""tf_vsinit.inspect: its verdicts, its records and table, and the spread through depth."""

import json
import pathlib
import random
import sys
import tempfile
import unittest.mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import legacy_keras, process_memory
from tf_vsinit import inspection

keras = tf.keras
layers = tf.keras.layers
stock = tf.keras.initializers
CLASSES = [n + d for n in ("Glorot", "He", "Lecun") for d in ("Normal", "Uniform")]
TRAINED = "far from where it started: trained"


def dense(initializer, shape=(32, 16), **options):
    layer = layers.Dense(shape[1], kernel_initializer=initializer, **options)
    layer.build([None, shape[0]])
    return layer


def built(layer, *shape):
    layer.build([None, *shape])
    return layer


def verdict(target, name="kernel"):
    return {each.path.rpartition("/")[2]: each.verdict for each in tf_vsinit.inspect(target)}[name]


class AsDesignedTest(parameterized.TestCase):
    @parameterized.product(
        module=(stock, tf_vsinit),
        name=CLASSES,
        dtype=("float16", "bfloat16", "float32", "float64"),
    )
    def test_new_variables(self, module, name, dtype):
        for seed, shape in enumerate(((1, 1), (2, 3), (32, 16), (500, 600))):
            layer = dense(getattr(module, name)(seed=seed), shape, dtype=dtype)
            self.assertEqual(verdict(layer), "as designed", shape)

    @parameterized.parameters("truncated_normal", "untruncated_normal", "uniform")
    def test_few_values(self, distribution):
        for seed in range(300):
            layer = dense(tf_vsinit.VarianceScaling(2, "fan_out", distribution, seed=seed), (3, 4))
            self.assertEqual(verdict(layer), "as designed", seed)

    def test_the_seeds_of_later_initializers_stay(self):
        inputs = keras.Input([6, 8])
        model = keras.Model(inputs, layers.MultiHeadAttention(2, 4)(inputs, inputs))
        before = random.getstate()
        tf_vsinit.inspect(model)
        self.assertEqual(random.getstate(), before)

    def test_constants(self):
        layer = dense("he_normal", bias_initializer=stock.Constant(0.1))
        self.assertEqual(verdict(layer, "bias"), "as designed")
        self.assertEqual(verdict(built(layers.LayerNormalization(), 3), "gamma"), "as designed")

    def test_initializers_of_compat_v1(self):
        for module in (tf.compat.v1, tf_vsinit.compat.v1):
            (kernel, _) = tf_vsinit.inspect(dense(module.glorot_normal_initializer(seed=1)))
            self.assertEqual((kernel.fan_in, kernel.verdict), (32, "as designed"))


class TrainedTest(parameterized.TestCase):
    @parameterized.parameters(*CLASSES)
    def test_another_spread(self, name):
        for factor in (0.5, 1.4):
            layer = dense(getattr(tf_vsinit, name)(seed=1))
            layer.kernel.assign(layer.kernel * factor)
            self.assertEqual(verdict(layer), TRAINED, factor)

    def test_the_rule_is_five_standard_errors_of_the_standard_deviation(self):
        # The relative standard error of a uniform's is sqrt(0.2 / n), here 1/50.
        wanted = np.sqrt(1 / 25)
        for errors, expected in ((4.9, "as designed"), (5.1, TRAINED), (-5.1, TRAINED)):
            layer = dense(tf_vsinit.LecunUniform(), (25, 20))
            signs = np.resize([1, -1], [25, 20])
            layer.kernel.assign(signs * wanted * (1 + errors / 50))
            self.assertEqual(verdict(layer), expected, errors)

    def test_another_mean(self):
        # The standard error of the mean is wanted / 20.
        wanted = np.sqrt(1 / 20)
        for errors, expected in ((4.9, "as designed"), (5.1, TRAINED)):
            layer = dense(tf_vsinit.LecunUniform(), (20, 20))
            signs = np.resize([1, -1], [20, 20])
            layer.kernel.assign(wanted * (signs + errors / 20))
            self.assertEqual(verdict(layer), expected, errors)

    @parameterized.parameters(
        ("uniform", np.sqrt(3)), ("truncated_normal", 2 / 0.87962566103423978)
    )
    def test_a_value_out_of_range(self, distribution, limit):
        wanted = np.sqrt(1 / 32)
        for factor, expected in ((0.999, "as designed"), (1.001, TRAINED)):
            layer = dense(tf_vsinit.VarianceScaling(distribution=distribution, seed=1))
            values = layer.kernel.numpy()
            values[3, 4] = -limit * wanted * factor
            layer.kernel.assign(values)
            self.assertEqual(verdict(layer), expected, factor)
        layer = dense(tf_vsinit.VarianceScaling(distribution="untruncated_normal", seed=1))
        layer.kernel.assign(values)
        self.assertEqual(verdict(layer), "as designed")

    def test_a_constant_that_changed(self):
        layer = dense("he_normal")
        layer.bias.assign(layer.bias + 0.1)
        self.assertEqual(verdict(layer, "bias"), TRAINED)

    def test_a_model_that_was_trained(self):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input([4]), layers.Dense(16, "tanh"), layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
        x = np.random.default_rng(1).normal(size=[256, 4])
        self.assertIn("as designed", {each.verdict for each in tf_vsinit.inspect(model)})
        model.fit(x, 100 * x[:, :1], epochs=20, verbose=0)
        self.assertEqual({each.verdict for each in tf_vsinit.inspect(model)}, {TRAINED})


class OtherVerdictsTest(parameterized.TestCase):
    def test_values_that_no_initializer_gives(self):
        layer = dense("he_normal")
        values = layer.kernel.numpy()
        for broken in (np.nan, np.inf):
            values[1, 2] = broken
            layer.kernel.assign(values)
            (kernel, _) = tf_vsinit.inspect(layer)
            self.assertEqual(kernel.verdict, "NaN or infinite values")
            self.assertEqual((kernel.found_stddev, kernel.min, kernel.max), (None, None, None))
        layer.kernel.assign(0 * tf.ones_like(values))
        self.assertEqual(verdict(layer), "all zeros")

    def test_no_values(self):
        (empty,) = tf_vsinit.inspect(tf.Variable(tf.zeros([3, 0]), name="empty"))
        self.assertEqual((empty.shape, empty.verdict), ((3, 0), "no values"))
        self.assertIsNone(empty.found_stddev)

    def test_same_values(self):
        names = "one", "two", "narrow", "other"
        model = keras.Sequential([keras.Input([4])])
        for name, units, seed in zip(names, (4, 4, 3, 4), (1, 1, 1, 2), strict=True):
            initializer = tf_vsinit.HeNormal(seed=seed)
            model.add(layers.Dense(units, kernel_initializer=initializer, name=name))
        # `other` has another shape, because `narrow` is before it.
        found = {each.path: each.verdict for each in tf_vsinit.inspect(model)}
        self.assertEqual(found.pop("two/kernel"), "same values as one/kernel")
        self.assertEqual(
            {found[f"{name}/kernel"] for name in ("one", "narrow", "other")}, {"as designed"}
        )
        self.assertEqual({found[f"{name}/bias"] for name in names}, {"as designed"})

    def test_initializers_that_are_not_known_or_not_variance_scaled(self):
        class Custom(layers.Layer):
            def build(self, shape):
                self.kernel = self.add_weight(shape=[4, 4], initializer="he_normal", name="kernel")

        self.assertEqual(verdict(built(Custom(), 4)), "initializer not known")
        self.assertEqual(verdict(dense("orthogonal")), "not variance-scaled")
        self.assertEqual(verdict(dense("random_normal")), "not variance-scaled")
        variables = [tf.Variable(tf.random.normal([4, 3]), name="a"), dense("he_normal").kernel]
        found = tf_vsinit.inspect(variables)
        self.assertEqual({each.verdict for each in found}, {"initializer not known"})
        self.assertEqual(found[0].path, "a")
        self.assertIsNone(found[0].initializer)


class FansTest(parameterized.TestCase):
    def check(self, layer, right, name="kernel", shown=None):
        found = {each.path.rpartition("/")[2]: each for each in tf_vsinit.inspect(layer)}
        found = found.get(name) or found[f"depthwise_{name}"]
        if right is None:
            self.assertEqual(found.verdict, "as designed")
        else:
            self.assertEqual(
                found.verdict,
                f"wrong fans for {type(layer).__name__}: {right[0]} in, {right[1]} out would be "
                "right",
            )
        return found

    @parameterized.parameters("glorot_uniform", "he_normal", tf_vsinit.HeNormal(seed=1))
    def test_depthwise(self, initializer):
        options = dict(depth_multiplier=2, depthwise_initializer=initializer)
        found = self.check(built(layers.DepthwiseConv2D(3, **options), 8, 8, 5), (9, 18))
        self.assertEqual((found.fan_in, found.fan_out), (45, 18))
        self.check(built(layers.DepthwiseConv1D(3, **options), 8, 5), (3, 6))
        self.check(built(layers.SeparableConv2D(4, 3, **options), 8, 8, 5), (9, 18))
        # The fans are right for one channel.
        self.check(built(layers.DepthwiseConv2D(3, **options), 8, 8, 1), None)

    def test_the_fan_that_the_mode_uses_counts(self):
        of_fan_out = tf_vsinit.VarianceScaling(mode="fan_out", seed=1)
        layer = layers.DepthwiseConv2D(3, depthwise_initializer=of_fan_out)
        self.check(built(layer, 8, 8, 5), None)
        for initializer, right in (("he_normal", None), ("glorot_normal", (18, 36))):
            layer = layers.Conv2D(8, 3, groups=2, kernel_initializer=initializer)
            self.check(built(layer, 8, 8, 4), right)

    def test_convolutions_have_right_fans(self):
        self.check(built(layers.Conv2D(8, 3), 8, 8, 4), None)
        self.check(built(layers.SeparableConv2D(8, 3), 8, 8, 4), None, "pointwise_kernel")

    def test_transposed_convolutions(self):
        def check(layer, right, *inputs):
            layer.kernel_initializer = tf.keras.initializers.get("he_normal")
            found = self.check(built(layer, *inputs, 4), right)
            self.assertEqual((found.fan_in, found.fan_out), right[::-1])

        check(layers.Conv1DTranspose(8, 3), (12, 24), 8)
        check(layers.Conv2DTranspose(8, 3), (36, 72), 8, 8)
        check(layers.Conv3DTranspose(8, 2), (32, 64), 8, 8, 8)
        strided = layers.Conv2DTranspose(8, 3, strides=2, kernel_initializer="he_normal")
        self.check(built(strided, 8, 8, 4), None)
        # Glorot uses the average of the fans, which does not depend on their order.
        self.check(built(layers.Conv2DTranspose(8, 3), 8, 8, 4), None)
        if legacy_keras.HAS_AXES:
            axes = tf_vsinit.HeNormal(seed=1, input_axes=(0, 1, 3), output_axes=(0, 1, 2))
            layer = layers.Conv2DTranspose(8, 3, kernel_initializer=axes)
            self.assertEqual(self.check(built(layer, 8, 8, 4), None).fan_in, 36)

    def test_einsum(self):
        def check(equation, shape, inputs, right, used):
            layer = built(layers.EinsumDense(equation, shape), *inputs)
            # Keras 3.13 has the right ones, except of groups.
            has_right = legacy_keras.HAS_AXES and "g" not in equation
            found = self.check(layer, None if has_right else right)
            self.assertEqual((found.fan_in, found.fan_out), right if has_right else used)

        check("abc,cde->abde", [7, 4, 5], [7, 6], (6, 20), (24, 30))
        check("abde,dec->abc", [7, 6], [7, 4, 5], (20, 6), (20, 24))
        check("...c,cde->...de", [None, 4, 5][1:], [6], (6, 20), (24, 30))
        groups = (5, 20) if legacy_keras.HAS_AXES else (20, 20)
        check("bgi,gio->bgo", [4, 5], [4, 5], (5, 5), groups)

    def test_attention(self):
        attention = layers.MultiHeadAttention(2, 4)
        attention(tf.ones([1, 3, 8]), tf.ones([1, 3, 8]))
        found = {each.path: each for each in tf_vsinit.inspect(attention)}
        kernels = {path: each for path, each in found.items() if path.endswith("kernel")}
        self.assertLen(kernels, 4)
        for path, each in kernels.items():
            expected = "wrong fans for EinsumDense: 8 in, 8 out would be right"
            if legacy_keras.HAS_AXES:
                expected = "as designed"
            self.assertEqual(each.verdict, expected, path)


class RecordsTest(parameterized.TestCase):
    def test_a_record(self):
        layer = dense(tf_vsinit.GlorotUniform(seed=1), name="layer")
        kernel, bias = tf_vsinit.inspect(layer)
        values = layer.kernel.numpy()
        self.assertEqual(
            (kernel.path, kernel.shape, kernel.dtype, kernel.initializer),
            ("layer/kernel", (32, 16), "float32", "GlorotUniform"),
        )
        self.assertEqual((kernel.fan_in, kernel.fan_out), (32, 16))
        self.assertAlmostEqual(kernel.wanted_stddev, np.sqrt(2 / 48))
        self.assertAlmostEqual(kernel.found_stddev, np.std(values, dtype=np.float64), places=12)
        self.assertEqual((kernel.min, kernel.max), (values.min(), values.max()))
        self.assertEqual((bias.initializer, bias.fan_in, bias.wanted_stddev), ("Zeros", None, None))

    @parameterized.parameters("float16", "bfloat16", "float32", "float64")
    def test_variables_that_are_read_in_several_goes(self, dtype):
        values = 1000 + np.random.default_rng(1).normal(size=[11, 13])
        variable = tf.Variable(tf.cast(values, dtype))
        with unittest.mock.patch.object(inspection, "_READ_AT_A_TIME", 7):
            (found,) = tf_vsinit.inspect([variable])
        exact = variable.numpy().astype(np.float64)
        self.assertAlmostEqual(found.found_stddev, exact.std(), places=10)
        self.assertEqual((found.min, found.max), (exact.min(), exact.max()))

    def test_integers(self):
        (found,) = tf_vsinit.inspect(tf.Variable([1, 3], dtype=tf.int64))
        self.assertEqual((found.found_stddev, found.min, found.max), (1, 1, 3))

    def test_a_large_variable_is_not_copied(self):
        variable = tf.Variable(tf.ones([2**14, 2**13]))
        tf_vsinit.inspect(variable)
        with process_memory.peak_rise() as rise:
            tf_vsinit.inspect(variable)
        # A tenth of the variable, which has 512 MiB.
        self.assertLess(rise["self"], 51)

    def test_mirrored_variables(self):
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            layer = dense(tf_vsinit.HeNormal(seed=1))
        self.assertEqual(verdict(layer), "as designed")

    def test_the_table_and_the_dict(self):
        model = keras.Sequential(
            [keras.Input([4]), layers.Dense(2, name="a"), layers.Dense(3, name="longer")]
        )
        found = tf_vsinit.inspect(model)
        self.assertIsInstance(found, list)
        lines = str(found).splitlines()
        self.assertEqual(repr(found), str(found))
        self.assertEqual(lines[0].split(), [*inspection.HEADINGS])
        for line, each in zip(lines[1:], found, strict=True):
            self.assertStartsWith(line, each.path)
            self.assertEndsWith(line, each.verdict)
            self.assertEqual(line.index(each.verdict), lines[0].index("verdict"))
        self.assertRegex(lines[1], r"^a/kernel +4x2 +GlorotUniform +4, 2 +0\.5774 +0\.\d+ +-0\.\d")
        as_json = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        self.assertEqual(as_json["layers"], [])
        self.assertLen(as_json["variables"], 4)
        self.assertEqual(as_json["variables"][0]["path"], "a/kernel")
        self.assertEqual(found[0].to_dict()["verdict"], found[0].verdict)


class Residual(keras.Model):
    """A subclassed model with a layer that is called twice."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(4, name="first")
        self.second = layers.Dense(4, name="second")

    def call(self, x):
        x = self.first(x)
        return x + self.second(self.second(x))


class SampleTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        folder = self.enter_context(tempfile.TemporaryDirectory())
        self.plot = pathlib.Path(folder) / "spread"

    def spreads(self, model, sample):
        return {each.path: each for each in tf_vsinit.inspect(model, sample, self.plot).layers}

    def test_activations_and_gradients(self):
        inputs = keras.Input([4])
        x = layers.BatchNormalization(name="norm")(layers.Dense(5, "relu", name="a")(inputs))
        model = keras.Model(inputs, layers.Dense(3, name="b")(layers.ReLU()(x)))
        before = model.get_weights()
        x = tf.random.normal([64, 4], seed=1)
        found = self.spreads(model, x)
        self.assertEqual([*found], ["a", "norm", "b"])
        a, norm, b = map(model.get_layer, ("a", "norm", "b"))
        activation = a(x)
        outputs = model(x)
        self.assertAlmostEqual(found["a"].activation_stddev, np.std(activation), places=5)
        self.assertAlmostEqual(found["b"].activation_stddev, np.std(outputs), places=5)
        # The gradient of the sum of squares.
        self.assertAlmostEqual(found["b"].gradient_stddev, np.std(2 * outputs), places=5)
        back = (2 * outputs @ tf.transpose(b.kernel)).numpy() * (norm(activation).numpy() > 0)
        self.assertAlmostEqual(found["norm"].gradient_stddev, np.std(back), places=5)
        for one, other in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
        for layer in model.layers:
            self.assertNotIn("call", vars(layer))

    def test_the_picture(self):
        model = keras.Sequential([keras.Input([2]), *(layers.Dense(2) for _ in range(100))])
        found = tf_vsinit.inspect(model, tf.ones([3, 2]), plot=self.plot)
        self.assertLen(found.layers, 100)
        self.assertEqual(self.plot.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.assertLen(json.loads(json.dumps(found.to_dict()))["layers"], 100)

    def test_the_picture_has_a_default_name(self):
        with unittest.mock.patch("tf_vsinit.spread.write_picture") as write:
            tf_vsinit.inspect(dense("he_normal"), tf.ones([3, 32]))
            tf_vsinit.inspect(dense("he_normal"))
        write.assert_called_once()
        self.assertEqual(write.call_args.args[1], "spread.png")

    def test_a_subclassed_model(self):
        model = Residual()
        x = tf.random.normal([16, 4], seed=1)
        model(x)
        found = self.spreads(model, x.numpy())
        self.assertEqual([*found], ["residual/first", "residual/second", "residual"])
        first = model.first(x)
        once = model.second(first)
        both = tf.stack([once, model.second(once)])
        self.assertAlmostEqual(found["residual/second"].activation_stddev, np.std(both), places=5)

    @parameterized.parameters("float32", "mixed_float16")
    def test_models_of_other_inputs(self, policy):
        tokens = keras.Input([6], dtype="int32", name="tokens")
        extra = keras.Input([4], name="extra")
        x = layers.Embedding(10, 8, name="embedding", dtype=policy)(tokens)
        x = layers.LSTM(4, name="lstm", dtype=policy)(x)
        outputs = [layers.Dense(2, name="a")(x), layers.Dense(2, name="b")(extra)]
        unused = layers.Dense(1, name="unused")
        model = keras.Model({"tokens": tokens, "extra": extra}, outputs)
        model.unused = unused
        unused.build([None, 1])
        sample = {"tokens": tf.ones([3, 6], tf.int32), "extra": tf.ones([3, 4])}
        found = self.spreads(model, sample)
        self.assertContainsSubset(["embedding", "lstm", "a", "b"], found)
        self.assertNotIn("unused", found)
        for each in found.values():
            self.assertGreater(each.gradient_stddev, 0, each.path)

    def test_values_that_are_not_finite(self):
        layer = dense(stock.Constant(np.inf))
        found = self.spreads(layer, tf.ones([3, 32]))
        self.assertIsNone(found["dense"].activation_stddev)

    def test_a_model_whose_outputs_do_not_depend_on_a_layer(self):
        inputs = keras.Input([4])
        x = layers.Dense(4, name="a")(inputs)
        x = layers.Lambda(tf.stop_gradient)(x)
        model = keras.Model(inputs, layers.Dense(4, name="b")(x))
        found = self.spreads(model, tf.ones([3, 4]))
        self.assertIsNone(found["a"].gradient_stddev)
        self.assertGreater(found["b"].gradient_stddev, 0)


class BadInputTest(parameterized.TestCase):
    @parameterized.parameters(
        (layers.Dense(3), "have variables"),
        (keras.Sequential([layers.Dense(3)]), "have variables"),
        ([], "have variables"),
        (layers.ReLU(), "have variables"),
        ("model", "be a Keras layer or model"),
        (np.ones([3]), "be a Keras layer or model"),
        ([tf.Variable(1.0), tf.ones([2])], "be a Keras layer or model"),
        (None, "be a Keras layer or model"),
    )
    def test_target(self, target, must):
        with self.assertRaisesRegex(ValueError, f"`target` must {must}.*Received: target="):
            tf_vsinit.inspect(target)

    def test_a_variable_of_text(self):
        with self.assertRaisesRegex(ValueError, "`target` must hold .*numbers.*name"):
            tf_vsinit.inspect(tf.Variable("a", name="name"))

    def test_sample(self):
        layer = dense("he_normal")
        with self.assertRaisesRegex(ValueError, "`sample`.*shape \\(3, 4\\)"):
            tf_vsinit.inspect(layer, tf.ones([3, 4]), "never.png")
        self.assertNotIn("call", vars(layer))
        self.assertFalse(pathlib.Path("never.png").exists())
        with self.assertRaisesRegex(ValueError, "`sample` must be None unless `target`"):
            tf_vsinit.inspect(layer.kernel, tf.ones([3, 32]))

    def test_without_matplotlib(self):
        without = {"matplotlib": None, "matplotlib.figure": None}
        with unittest.mock.patch.dict(sys.modules, without):
            with self.assertRaisesRegex(ImportError, "`sample`.*pip install matplotlib"):
                tf_vsinit.inspect(dense("he_normal"), tf.ones([3, 32]))
            tf_vsinit.inspect(dense("he_normal"))

    def test_in_a_graph(self):
        layer = dense("he_normal")
        with self.assertRaisesRegex(RuntimeError, "eager"):
            tf.function(lambda: tf_vsinit.inspect(layer))()


class LegacyInspectTest(legacy_keras.LegacyKerasTest):
    pass


if __name__ == "__main__":
    absltest.main()
