"""The op compiled by XLA draws the bits of eager mode, in programs of every kind."""

import concurrent.futures
import itertools
import zlib

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import boxes, processes
from tests.support.bits import assert_same_bits
from tf_vsinit.compat import v1

DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
NAMES = ("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "VarianceScaling")
STREAMS = ("vsinit", "tensorflow")
MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
SEEDS = ((7, 0), (-1, 3), (2**31 - 1, -(2**31)))
WIDE_SEEDS = ((2**40 + 3, 2**33), (2**63 - 1, -(2**63)))

draw = tf_vsinit.stateless_variance_scaling


def compiled(function):
    return tf.function(function, jit_compile=True, autograph=False)


class SameBitsTest(parameterized.TestCase):
    def check(self, seed, shape, **kwargs):
        """Compares the draws of both streams. One program draws them, which saves time."""
        both = lambda seed: [draw(shape, seed, stream=s, **kwargs) for s in STREAMS]  # noqa: E731
        for stream, found, wanted in zip(STREAMS, compiled(both)(seed), both(seed), strict=True):
            self.assertEqual(found.dtype, wanted.dtype)
            self.assertEqual(found.shape, wanted.shape)
            assert_same_bits(found, wanted, stream)

    @parameterized.parameters(itertools.product(DISTRIBUTIONS, DTYPES))
    def test_distribution_dtype_and_box(self, distribution, dtype):
        for shape, begin, size in boxes.BOXES:
            with self.subTest(shape=shape, begin=begin, size=size):
                self.check(
                    tf.constant(SEEDS[0], tf.int64),
                    shape,
                    begin=begin,
                    size=size,
                    distribution=distribution,
                    dtype=dtype,
                )

    @parameterized.parameters(*MODES)
    def test_mode_and_scale(self, mode):
        for scale in (1.0, 2.0, 1e-3, 1 / 3):
            self.check(tf.constant(SEEDS[0]), (3, 4, 5, 7), mode=mode, scale=scale)

    @parameterized.parameters(((0,), (1, 2)), ((-1,), (0,)), ((0, 1), (2,)), ((), ()))
    def test_axes(self, input_axes, output_axes):
        self.check(
            tf.constant(SEEDS[0]),
            (6, 5, 4),
            mode="fan_avg",
            input_axes=input_axes,
            output_axes=output_axes,
        )

    @parameterized.parameters(
        *itertools.product(SEEDS, (tf.int32, tf.int64)),
        *itertools.product(WIDE_SEEDS, (tf.int64,)),
    )
    def test_seed(self, seed, dtype):
        self.check(tf.constant(seed, dtype), (33, 17))

    def test_int32_and_int64_tensors_as_shape_begin_and_size(self):
        for dtype in (tf.int32, tf.int64):
            vector = lambda values, dtype=dtype: tf.constant(values, dtype)  # noqa: E731
            found = compiled(
                lambda v=vector: draw(v([9, 8]), [1, 2], begin=v([1, 2]), size=v([3, -1]))
            )()
            assert_same_bits(found, draw([9, 8], [1, 2])[1:4, 2:])


class StockTest(parameterized.TestCase):
    """Compiled, the TensorFlow stream has the values that stock has in eager mode."""

    @parameterized.parameters(*DTYPES)
    def test_initializers(self, dtype):
        def drawn(module, **kwargs):
            return [
                getattr(module, name)(seed=seed, **kwargs)([31, 9], dtype)
                for name, seed in itertools.product(NAMES, (7, -5))
            ]

        found = compiled(lambda: drawn(tf_vsinit, stream="tensorflow"))()
        for ours, stock in zip(found, drawn(tf.keras.initializers), strict=True):
            assert_same_bits(ours, stock)

    def test_compat_v1(self):
        self.addCleanup(tf.random.set_seed, None)
        for name in ("he_normal", "glorot_uniform"):
            tf.random.set_seed(3)
            initializer = getattr(v1.initializers, name)(seed=5, stream="tensorflow")
            stock = getattr(tf.compat.v1.initializers, name)(seed=5)
            assert_same_bits(compiled(lambda i=initializer: i([31, 9]))(), stock([31, 9]))


class LargerProgramTest(absltest.TestCase):
    def test_two_draws_with_arithmetic_between_them(self):
        def function(seed):
            a = draw([300, 200], seed, distribution="uniform")
            b = draw([300, 200], seed + 1, dtype=tf.float64)
            # A product with a power of two is exact, so fusion cannot change it.
            return a * 4.0, tf.where(a > 0, tf.cast(b, tf.float32), -a)

        seed = tf.constant([5, 6], tf.int64)
        for found, wanted in zip(compiled(function)(seed), function(seed), strict=True):
            assert_same_bits(found, wanted)

    def test_the_seed_may_be_computed_in_the_program(self):
        def function(start):
            def body(i, total):
                seed = tf.stack([start, i])
                return i + 1, total + tf.cast(draw([20, 10], seed) > 0, tf.int32)

            return tf.while_loop(lambda i, _: i < 5, body, (0, tf.zeros([20, 10], tf.int32)))[1]

        start = tf.constant(11)
        np.testing.assert_array_equal(compiled(function)(start), function(start))

    def test_draws_in_branches(self):
        function = compiled(
            lambda which: tf.cond(which, lambda: draw([9, 9], [1, 2]), lambda: draw([9, 9], [3, 4]))
        )
        for which, seed in ((True, [1, 2]), (False, [3, 4])):
            found = function(tf.constant(which))
            assert_same_bits(found, draw([9, 9], seed))

    def test_a_training_step_that_draws_a_variable_anew(self):
        variable = tf.Variable(tf.zeros([16, 8]))

        @tf.function(jit_compile=True)
        def step(x, seed, anew):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((x @ variable) ** 2)
            gradient = tape.gradient(loss, variable)
            variable.assign(tf.where(anew, draw([16, 8], seed), variable - 0.1 * gradient))
            return loss

        x, seed = tf.ones([4, 16]), tf.constant([1, 2], tf.int64)
        step(x, seed, tf.constant(True))
        assert_same_bits(variable, draw([16, 8], seed))
        first_loss = step(x, seed, tf.constant(False))
        self.assertGreater(first_loss, step(x, seed, tf.constant(False)))
        step(x, seed + 1, tf.constant(True))
        assert_same_bits(variable, draw([16, 8], seed + 1))

    def test_no_gradient_flows_into_the_draw(self):
        @tf.function(jit_compile=True)
        def gradient(scale):
            with tf.GradientTape() as tape:
                tape.watch(scale)
                loss = tf.reduce_sum(scale * draw([4, 4], [1, 2]))
            return tape.gradient(loss, scale)

        wanted = tf.reduce_sum(draw([4, 4], [1, 2]))
        np.testing.assert_allclose(gradient(tf.constant(2.0)), wanted, rtol=1e-5)

    def test_the_shape_may_follow_an_argument(self):
        @tf.function(jit_compile=True)
        def like(x):
            return draw(tf.shape(x), [1, 2], dtype=x.dtype)

        @tf.function(jit_compile=True)
        def square(side):
            return draw(tf.stack([side, side]), [1, 2])

        for side in (3, 5):
            found = like(tf.zeros([side, 4]))
            assert_same_bits(found, draw([side, 4], [1, 2]))
            found = square(tf.constant(side))
            assert_same_bits(found, draw([side, side], [1, 2]))

    def test_a_variable_made_in_a_compiled_function(self):
        class Model(tf.Module):
            def __init__(self, make_variable):
                super().__init__()
                self.make_variable = make_variable
                self.weights = None

            @tf.function(jit_compile=True)
            def __call__(self, x):
                if self.weights is None:
                    self.weights = self.make_variable()
                return x @ self.weights

        initializer = tf_vsinit.HeNormal(seed=1)

        def in_init_scope():
            with tf.init_scope():
                return tf.Variable(initializer([8, 4]))

        def lifted():
            return tf.Variable(lambda: initializer([8, 4]))

        for make_variable in (in_init_scope, lifted):
            model = Model(make_variable)
            np.testing.assert_array_equal(model(tf.eye(8)), initializer([8, 4]))
            assert_same_bits(model.weights, initializer([8, 4]))


class KerasTest(absltest.TestCase):
    def test_a_model_compiled_with_jit_compile(self):
        class RandomProjection(tf.keras.layers.Layer):
            def call(self, x):
                return x @ draw([6, 5], [3, 4])

        initializer = tf_vsinit.GlorotNormal(seed=2)
        model = tf.keras.Sequential(
            [
                tf.keras.layers.Dense(6, kernel_initializer=initializer, use_bias=False),
                RandomProjection(),
            ]
        )
        model.compile(optimizer=tf.keras.optimizers.SGD(0.0), loss="mse", jit_compile=True)
        x = np.eye(4, dtype=np.float32)
        model.fit(x, np.zeros([4, 5], np.float32), epochs=1, verbose=0)
        kernel = initializer([4, 6])
        assert_same_bits(model.layers[0].kernel, kernel)
        wanted = kernel @ draw([6, 5], [3, 4])
        np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=1e-5, atol=1e-6)

    def test_a_model_of_tf_keras_compiled_with_jit_compile(self):
        printed = processes.output_of(
            "-c",
            """
import numpy as np
import tensorflow as tf
import tf_vsinit

initializer = tf_vsinit.GlorotNormal(seed=2)
layer = tf.keras.layers.Dense(6, kernel_initializer=initializer, use_bias=False)


class RandomBias(tf.keras.layers.Layer):
    def call(self, x):
        return x + tf_vsinit.stateless_variance_scaling([6], [3, 4])


model = tf.keras.Sequential([layer, RandomBias()])
model.compile(optimizer=tf.keras.optimizers.SGD(0.0), loss="mse", jit_compile=True)
x = np.eye(4, dtype=np.float32)
model.fit(x, np.zeros([4, 6], np.float32), epochs=1, verbose=0)
kernel = initializer([4, 6])
print(tf.keras.__name__, np.array_equal(layer.kernel, kernel))
bias = tf_vsinit.stateless_variance_scaling([6], [3, 4])
print(np.array_equal(model.predict(x, verbose=0), kernel + bias))
""",
            TF_USE_LEGACY_KERAS="1",
        )
        self.assertEqual(printed.split()[0].split(".")[0], "tf_keras")
        self.assertEqual(printed.split()[1:], ["True", "True"])


class ThreadsTest(absltest.TestCase):
    def test_concurrent_calls_of_one_program(self):
        function = compiled(lambda seed: draw([1000, 1000], seed))
        seeds = [tf.constant([i, 1], tf.int64) for i in range(16)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            found = list(pool.map(function, seeds))
        for values, seed in zip(found, seeds, strict=True):
            assert_same_bits(values, draw([1000, 1000], seed))

    def test_many_draws_in_one_program(self):
        # XLA runs independent calls at the same time, on the threads that help with each fill.
        function = compiled(lambda seed: [draw([500, 1001], seed + i) for i in range(12)])
        seed = tf.constant([1, 1], tf.int64)
        for i, values in enumerate(function(seed)):
            assert_same_bits(values, draw([500, 1001], seed + i))

    def test_the_values_do_not_depend_on_the_number_of_threads(self):
        program = """
import zlib
import tensorflow as tf
import tf_vsinit

tf.config.threading.set_intra_op_parallelism_threads(%d)
draw = tf.function(
    lambda: tf_vsinit.stateless_variance_scaling([1500, 1001], [1, 2]), jit_compile=True)
print(zlib.crc32(draw().numpy().tobytes()))
"""
        found = {processes.output_of("-c", program % threads).strip() for threads in (1, 7)}
        self.assertEqual(found, {str(zlib.crc32(draw([1500, 1001], [1, 2]).numpy().tobytes()))})


if __name__ == "__main__":
    absltest.main()
