"""tf_vsinit.reinitialize gives a model the values of a scope, and says what it cannot draw."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import bits, legacy_keras, process_memory
from tf_vsinit import paths

keras = tf.keras
layers = tf.keras.layers


def convolutional():
    inputs = keras.Input([8, 8, 3])
    x = layers.Conv2D(4, 3, kernel_initializer="he_normal")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.SeparableConv2D(4, 3, depthwise_initializer="lecun_normal", name="separable")(x)
    return keras.Model(inputs, layers.Dense(5)(layers.Flatten()(x)))


def attention():
    inputs = keras.Input([6, 8])
    x = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    return keras.Model(inputs, layers.LayerNormalization()(x))


def recurrent():
    return keras.Sequential(
        [
            keras.Input([6, 8]),
            layers.Bidirectional(layers.LSTM(4, kernel_initializer="he_uniform")),
            layers.Dense(2, dtype="float64"),
        ]
    )


class Subclassed(keras.Model):
    """A model with a layer that is built when it is called."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4)

    def call(self, x):
        return self.dense(x)


def subclassed():
    model = Subclassed()
    model(np.ones([2, 3], np.float32))
    return model


def values(model):
    return [np.array(weight) for weight in model.weights]


def spoil(model):
    for weight in model.weights:
        weight.assign(tf.ones_like(weight) * 7)


class ModelTest(parameterized.TestCase):
    @parameterized.parameters(convolutional, attention, subclassed)
    def test_the_values_are_those_of_a_scope(self, make):
        with tf_vsinit.scope(seed=1):
            wanted = make()
        model = make()
        spoil(model)
        tf_vsinit.reinitialize(model, seed=1)
        for found, value in zip(values(model), values(wanted), strict=True):
            bits.assert_same_bits(found, value)
        # Also a second time, and from the scope's own model.
        tf_vsinit.reinitialize(wanted, seed=2)
        tf_vsinit.reinitialize(wanted, seed=1)
        for found, value in zip(values(model), values(wanted), strict=True):
            bits.assert_same_bits(found, value)

    def test_initializers_that_are_not_variance_scaled(self):
        model = recurrent()
        spoil(model)
        tf_vsinit.reinitialize(model, seed=1)
        kernel, recurrent_kernel, bias = model.layers[0].forward_layer.weights
        found = np.array(kernel)
        path = "bidirectional/forward_lstm/lstm_cell/kernel"
        wanted = tf_vsinit.HeUniform(paths.path_seed(1, path))(kernel.shape)
        bits.assert_same_bits(found, wanted)
        product = np.array(recurrent_kernel) @ np.array(recurrent_kernel).T
        np.testing.assert_allclose(product, np.eye(4), atol=1e-5)
        np.testing.assert_array_equal(np.array(bias), [0] * 4 + [1] * 4 + [0] * 8)
        first = values(model)
        tf_vsinit.reinitialize(model, seed=1)
        for one, other in zip(first, values(model), strict=True):
            bits.assert_same_bits(one, other)
        tf_vsinit.reinitialize(model, seed=2)
        self.assertFalse(bits.same_bits(first[1], values(model)[1]))

    def test_without_a_seed_keras_governs(self):
        model = recurrent()

        def drawn():
            tf_vsinit.reinitialize(model)
            return values(model)[0]

        keras.utils.set_random_seed(1)
        first, second = drawn(), drawn()
        self.assertFalse(bits.same_bits(first, second))
        keras.utils.set_random_seed(1)
        bits.assert_same_bits(first, drawn())

    def test_the_stream(self):
        model = convolutional()
        tf_vsinit.reinitialize(model, seed=1, stream="tensorflow")
        stock = keras.initializers.HeNormal(paths.path_seed(1, "conv2d/kernel"))
        bits.assert_same_bits(model.layers[1].kernel, stock([3, 3, 3, 4]))

    def test_another_initializer(self):
        model = convolutional()
        tf_vsinit.reinitialize(model, seed=1, initializer="he_uniform")
        kernel = tf_vsinit.HeUniform(paths.path_seed(1, "dense/kernel"))([64, 5])
        bits.assert_same_bits(model.layers[-1].kernel, kernel)
        np.testing.assert_array_equal(np.array(model.layers[-1].bias), np.zeros(5))

    def test_state_and_the_optimizer_stay(self):
        model = keras.Sequential([keras.Input([3]), layers.Normalization(), layers.Dense(2)])
        model.layers[-2].adapt(np.array([[1.0, 2, 3], [3, 4, 7]]))
        model.compile("adam", "mse")
        model.fit(np.ones([4, 3]), np.ones([4, 2]), verbose=0)
        mean = np.array(model.layers[-2].mean)
        steps = np.array(model.optimizer.iterations)
        tf_vsinit.reinitialize(model, seed=1)
        np.testing.assert_array_equal(np.array(model.layers[-2].mean), mean)
        self.assertEqual(np.array(model.optimizer.iterations), steps)

    @parameterized.parameters(
        (lambda: keras.optimizers.Adam(0.1),),
        (lambda: keras.optimizers.SGD(0.1, momentum=0.9),),
        (lambda: keras.optimizers.SGD(0.1),),
        (lambda: keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.5),),
        (lambda: keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5),),
        (lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),),
        (lambda: keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam(0.1)),),
    )
    def test_the_optimizer_starts_again_on_request(self, make):
        x, y = np.ones([4, 3], np.float32), np.ones([4, 2], np.float32)
        model = keras.Sequential([keras.Input([3]), layers.Dense(2)])
        model.compile(make(), "mse")

        def trained():
            tf_vsinit.reinitialize(model, seed=1, reset_optimizer=True)
            model.fit(x, y, epochs=3, batch_size=2, verbose=0)
            return values(model) + [np.array(v) for v in model.optimizer.variables]

        first = trained()  # The optimizer has no slots yet.
        for found, wanted in zip(trained(), first, strict=True):
            np.testing.assert_array_equal(found, wanted)

    def test_the_learning_rate_stays(self):
        model = keras.Sequential([keras.Input([3]), layers.Dense(2)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
        model.optimizer.learning_rate.assign(0.25)
        tf_vsinit.reinitialize(model, seed=1, reset_optimizer=True)
        self.assertEqual(np.array(model.optimizer.learning_rate), 0.25)

    def test_no_optimizer_to_reset(self):
        model = convolutional()
        before = values(model)
        with self.assertRaisesRegex(ValueError, "`reset_optimizer` needs a compiled model"):
            tf_vsinit.reinitialize(model, seed=1, reset_optimizer=True)
        bits.assert_same_bits(model.weights[0], before[0])

    def test_an_optimizer_of_other_variables(self):
        model = convolutional()
        model.compile(keras.optimizers.Adam(0.1), "mse")
        model.fit(np.ones([2, 8, 8, 3]), np.ones([2, 5]), verbose=0)
        model.layers[1].trainable = False
        before = values(model)
        with self.assertRaisesRegex(ValueError, "built for other variables"):
            tf_vsinit.reinitialize(model, seed=1, reset_optimizer=True)
        bits.assert_same_bits(model.weights[0], before[0])

    def test_a_traced_function_uses_the_new_values(self):
        model = subclassed()
        function = tf.function(model)
        x = np.ones([2, 3], np.float32)
        function(x)
        tf_vsinit.reinitialize(model, seed=1)
        np.testing.assert_allclose(function(x), model(x))

    def test_initializers_of_tensorflow_1(self):
        for stock, ours in (
            (tf.compat.v1.glorot_normal_initializer(), tf_vsinit.GlorotNormal),
            (tf.compat.v1.keras.initializers.he_uniform(), tf_vsinit.HeUniform),
        ):
            with tf_vsinit.scope(seed=1):
                layer = layers.Dense(4, kernel_initializer=stock)
                layer.build([None, 3])
            wanted = ours(paths.path_seed(1, "dense/kernel"))([3, 4])
            bits.assert_same_bits(layer.kernel, wanted)
            tf_vsinit.reinitialize(layer, seed=2)
            wanted = ours(paths.path_seed(2, "dense/kernel"))([3, 4])
            bits.assert_same_bits(layer.kernel, wanted)

    def test_a_layer(self):
        layer = layers.Dense(4)
        layer.build([None, 3])
        tf_vsinit.reinitialize(layer, seed=1)
        wanted = tf_vsinit.GlorotUniform(paths.path_seed(1, "dense/kernel"))([3, 4])
        bits.assert_same_bits(layer.kernel, wanted)

    def test_under_a_strategy(self):
        with tf_vsinit.scope(seed=1):
            wanted = convolutional()
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            model = convolutional()
        tf_vsinit.reinitialize(model, seed=1)
        for found, value in zip(values(model), values(wanted), strict=True):
            bits.assert_same_bits(found, value)

    def test_memory(self):
        layer = layers.Dense(16384, use_bias=False, kernel_initializer="he_normal")
        layer.build([None, 8192])
        tf_vsinit.reinitialize(layer, seed=1)
        with process_memory.peak_rise() as rise:
            tf_vsinit.reinitialize(layer, seed=2)
        # A tenth of the variable, which has 512 MiB.
        self.assertLess(rise["self"], 51)


class VariablesTest(absltest.TestCase):
    def test_variables(self):
        kernels = [tf.Variable(tf.zeros([3, 4]), name=name) for name in ("a", "b")]
        tf_vsinit.reinitialize(kernels, seed=1, initializer="he_normal")
        for kernel, name in zip(kernels, ("a", "b"), strict=True):
            wanted = tf_vsinit.HeNormal(paths.path_seed(1, name))([3, 4])
            bits.assert_same_bits(kernel, wanted)
        tf_vsinit.reinitialize(kernels[0], seed=1, initializer=tf_vsinit.HeUniform())
        wanted = tf_vsinit.HeUniform(paths.path_seed(1, "a"))([3, 4])
        bits.assert_same_bits(kernels[0], wanted)

    def test_bad_input(self):
        class Unknown(layers.Layer):
            def build(self, shape):
                self.w = self.add_weight(shape=[3, 4], name="w")

        variable = tf.Variable(tf.zeros([3, 4]), name="kernel")
        model = keras.Sequential([keras.Input([3]), layers.Dense(4, name="first"), Unknown()])
        before = values(model)
        for target, options, message in (
            (model, {}, "`initializer` must be given.*unknown/w"),
            (variable, {}, "`initializer` must be given.*kernel"),
            (layers.Dense(3), {}, "`target` must have variables"),
            (3, {"initializer": "he_normal"}, "`target` must be a Keras layer.*Received: target=3"),
            ([variable, variable], {"initializer": "he_normal"}, "same path.*: kernel"),
            (model, {"initializer": "he_normal", "seed": 1.5}, "`seed`.*1.5"),
            (model, {"initializer": "he_normal", "stream": "other"}, "`stream`.*'other'"),
        ):
            with self.assertRaisesRegex(ValueError, message):
                tf_vsinit.reinitialize(target, **options)
        for found, value in zip(values(model), before, strict=True):
            bits.assert_same_bits(found, value)

    def test_nothing_is_written_where_one_variable_cannot_be_drawn(self):
        stock = keras.initializers.VarianceScaling
        first = layers.Dense(4, kernel_initializer=stock(1.0))
        # Beyond float16, which only the op finds out.
        last = layers.Dense(4, kernel_initializer=stock(1e12), dtype="float16")
        model = keras.Sequential([keras.Input([3]), first, last])
        spoil(model)
        before = values(model)
        with self.assertRaisesRegex((ValueError, tf.errors.InvalidArgumentError), "scale 1e.12"):
            tf_vsinit.reinitialize(model, seed=1)
        for found, value in zip(values(model), before, strict=True):
            bits.assert_same_bits(found, value)

    def test_a_layer_that_has_only_state(self):
        layer = layers.Normalization()
        layer.adapt(np.array([[1.0, 2, 3], [3, 4, 7]]))
        mean = np.array(layer.mean)
        tf_vsinit.reinitialize(layer, seed=1)
        np.testing.assert_array_equal(np.array(layer.mean), mean)


class LegacyReinitializeTest(legacy_keras.LegacyKerasTest):
    pass


if __name__ == "__main__":
    absltest.main()
