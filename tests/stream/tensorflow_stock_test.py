"""The TensorFlow stream is what the stock initializers of every generation draw, bit for bit.

Keras 3, tf_keras and compat.v1, eager, on a CPU: all classes, dtypes and ranks. Both the op and the
reference are compared with the stock values.
"""

import math
import random
import warnings

import ml_dtypes
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import legacy_keras
from tests.support.bits import assert_same_bits, same_bits
from tests.support.initializer_names import CLASSES, SNAKE_NAMES
from tf_vsinit import reference
from tf_vsinit.compat import v1
from tf_vsinit.compat.v1 import seeds

tf1 = tf.compat.v1

DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
DTYPES = ("float16", "bfloat16", "float32", "float64")
RANKS = range(6)
# Keras 3 takes each element of a seed modulo this.
KERAS_3_SEED_MODULUS = 2**31 - 2


def setUpModule():
    # Another test in this process may have set a global seed.
    tf.random.set_seed(None)


def random_options(rng):
    """Returns scale, mode and distribution for VarianceScaling."""
    scale = rng.choice([1, 2.0, 0.37, 1e-4, rng.uniform(0.1, 3.0)])
    mode = rng.choice(["fan_in", "fan_out", "fan_avg"])
    return scale, mode, rng.choice(DISTRIBUTIONS)


def random_seed(rng):
    return rng.choice(
        [rng.randrange(2**31), rng.randrange(-(2**63), 2**63), rng.randrange(-(2**31), 0), 1]
    )


def random_shape(rng, rank):
    return tuple(rng.randrange(1, (0, 2000, 40, 12, 7, 5)[rank]) for _ in range(rank))


def reference_values(shape, seed, options, dtype, float32_limit=False):
    scale, mode, distribution = options
    factor = reference.limit_or_stddev(scale, mode, *reference.fans(shape), distribution)
    if float32_limit and distribution == "uniform":
        factor = float(np.float32(factor))
    index = np.arange(np.prod(shape, dtype=np.int64), dtype=np.uint64)
    key = reference.stream_key(seed)
    values = reference.elements(key, index, factor, distribution, dtype, "tensorflow")
    if dtype == "bfloat16":
        values = values.view(ml_dtypes.bfloat16)
    return values.reshape(shape)


def both(module, stock, name, options, **kwargs):
    """Returns the initializer of tf_vsinit and the stock one, for a class and its options."""
    # The other classes have the options in their definition.
    args = options if name.lower().startswith("variance") else ()
    ours = getattr(module, name)(*args, stream="tensorflow", **kwargs)
    return ours, getattr(stock, name)(*args, **kwargs)


class Keras:
    """The generation that `tf.keras` is: Keras 3, or tf_keras."""

    @staticmethod
    def initializers(name, options, seed):
        return both(tf_vsinit, tf.keras.initializers, name, options, seed=seed)

    @staticmethod
    def reference_values(shape, seed, options, dtype):
        if legacy_keras.IN_USE:
            return reference_values(shape, (seed, 0), options, dtype)
        words = (seed % KERAS_3_SEED_MODULUS, 0)
        return reference_values(shape, words, options, dtype, float32_limit=True)


class CompatV1:
    """The generation of `tf.compat.v1`. Sets a global seed that depends on the seed."""

    @staticmethod
    def initializers(name, options, seed):
        tf1.set_random_seed(seed // 3)
        name = SNAKE_NAMES[name]
        return both(v1.initializers, tf1.initializers, name, options, seed=seed)

    @staticmethod
    def reference_values(shape, seed, options, dtype):
        return reference_values(shape, seeds.variable_seed(seed), options, dtype)


GENERATIONS = (Keras, CompatV1)


class StockTestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(tf.random.set_seed, None)

    def check(self, generation, name, options, seed, shape, dtype):
        """Compares the op and the reference with stock. Returns the values."""
        if generation is CompatV1 and legacy_keras.IN_USE:
            self.skipTest("the process with Keras 3 has tested compat.v1")
        ours, stock = generation.initializers(name, options, seed)
        wanted = stock(shape, tf.as_dtype(dtype))
        message = (generation.__name__, name, options, seed, shape)
        assert_same_bits(ours(shape, tf.as_dtype(dtype)), wanted, message)
        by_reference = generation.reference_values(shape, seed, options, dtype)
        assert_same_bits(by_reference, wanted, message)
        return by_reference


class InitializersTest(StockTestCase):
    @parameterized.product(generation=GENERATIONS, dtype=DTYPES)
    def test_every_class_and_rank(self, generation, dtype):
        rng = random.Random(f"{generation.__name__} {dtype}")
        for rank in RANKS:
            for name, options in {**CLASSES, "VarianceScaling": random_options(rng)}.items():
                shape = random_shape(rng, rank)
                self.check(generation, name, options, random_seed(rng), shape, dtype)

    @parameterized.product(generation=GENERATIONS, dtype=DTYPES, distribution=DISTRIBUTIONS)
    def test_over_a_million_elements(self, generation, dtype, distribution):
        options = (2.0, "fan_avg", distribution)
        self.check(generation, "VarianceScaling", options, 2**31 - 3, (1031, 1021), dtype)

    @parameterized.parameters("HeNormal", "HeUniform")
    @absltest.skipIf(legacy_keras.IN_USE, "the process with Keras 3 has tested large sizes")
    def test_over_2_25_elements(self, name):
        ours, stock = Keras.initializers(name, CLASSES[name], 11)
        shape = (2**25 // 4096 + 1, 4097)
        self.assertTrue(same_bits(ours(shape), stock(shape)))

    @parameterized.product(generation=GENERATIONS, dtype=("float16", "bfloat16"))
    def test_16_bit_factors_are_rounded_to_float32_first(self, generation, dtype):
        # Standard deviations just beside the midpoint of two 16-bit numbers.
        width = 10 if dtype == "float16" else 7
        for distance in (2.0**-30, -(2.0**-30)):
            stddev = 1 + 2.0 ** -(width + 1) + distance
            options = (stddev**2, "fan_in", "untruncated_normal")
            self.check(generation, "VarianceScaling", options, 1, (1,), dtype)

    @parameterized.parameters(*GENERATIONS)
    def test_no_normal_is_minus_zero(self, generation):
        options = (1e-14, "fan_in", "untruncated_normal")
        values = self.check(generation, "VarianceScaling", options, 3, (1, 100), "float16")
        self.assertTrue(np.any(values == 0))
        self.assertFalse(np.any(np.signbit(values[values == 0])))


class SeedTest(StockTestCase):
    @parameterized.product(
        generation=GENERATIONS,
        seed=(0, 1, 2**31 - 3, 2**31 - 2, 2**31, 2**40 + 5, -1, 2**63 - 1, -(2**63)),
    )
    def test_every_seed_of_64_bits(self, generation, seed):
        for name in ("HeNormal", "HeUniform"):
            self.check(generation, name, CLASSES[name], seed, (3, 5), "float32")

    @parameterized.parameters(*CLASSES)
    def test_no_seed_is_drawn_from_the_source_of_keras(self, name):
        drawn = []
        for module, kwargs in (
            (tf_vsinit, dict(stream="tensorflow")),
            (tf.keras.initializers, {}),
        ):
            tf.keras.utils.set_random_seed(13)
            for _ in range(2):
                initializer = getattr(module, name)(**kwargs)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # tf_keras warns at the second call.
                    drawn.append([initializer((7, 3)) for _ in range(2)])
        for ours, stock in zip(drawn[:2], drawn[2:], strict=True):
            assert_same_bits(ours[0], stock[0])
            assert_same_bits(ours[1], stock[1])

    def test_no_seed_is_drawn_when_stock_draws_it(self):
        drawn = []
        for module, kwargs in (
            (tf_vsinit, dict(stream="tensorflow")),
            (tf.keras.initializers, {}),
        ):
            tf.keras.utils.set_random_seed(13)
            made_first = module.HeNormal(**kwargs)
            other = tf.keras.initializers.HeNormal()
            module.HeNormal(**kwargs)  # Never called.
            drawn.append([other((7, 3)), made_first((7, 3))])
        for ours, stock in zip(*drawn, strict=True):
            assert_same_bits(ours, stock)

    @parameterized.product(name=("GlorotNormal", "HeUniform"), op_seed=(None, 5))
    def test_the_global_seed_counts_the_draws_of_compat_v1(self, name, op_seed):
        drawn = []
        for module, kwargs in ((v1, dict(stream="tensorflow")), (tf1, {})):
            tf1.set_random_seed(3)
            make = getattr(module.initializers, SNAKE_NAMES[name])
            # A new object each time: a stock one draws other values at its second call.
            drawn.append([make(seed=op_seed, **kwargs)((7, 3)) for _ in range(3)])
        self.assertEqual(same_bits(drawn[0][0], drawn[0][1]), op_seed is not None)
        compared = 1 if op_seed is not None else 3
        for ours, stock in zip(drawn[0][:compared], drawn[1][:compared], strict=True):
            assert_same_bits(ours, stock)

    @parameterized.product(
        seed=(5, 2**31 - 2, 2**40, -7), name=("HeNormal", "HeUniform"), in_a_function=(False, True)
    )
    @absltest.skipIf(legacy_keras.IN_USE, "tf_keras has no SeedGenerator")
    def test_a_seed_generator_counts_in_the_second_element(self, seed, name, in_a_function):
        generators = [tf.keras.random.SeedGenerator(seed) for _ in range(2)]
        # Both elements are taken modulo the modulus.
        for generator in generators:
            generator.state.assign([seed, KERAS_3_SEED_MODULUS - 1])
        ours = getattr(tf_vsinit, name)(seed=generators[0], stream="tensorflow")
        stock = getattr(tf.keras.initializers, name)(seed=generators[1])
        draw = tf.function(lambda: ours((4, 3), "float64")) if in_a_function else None
        for count in (KERAS_3_SEED_MODULUS - 1, 0, 1):
            wanted = stock((4, 3), "float64")
            assert_same_bits(draw() if draw else ours((4, 3), "float64"), wanted)
            words = (seed % KERAS_3_SEED_MODULUS, count)
            by_reference = reference_values(
                (4, 3), words, CLASSES[name], "float64", float32_limit=True
            )
            assert_same_bits(by_reference, wanted)


class StatelessTest(parameterized.TestCase):
    """`tf.random.stateless_*` for the seed and the factor that an initializer would use."""

    @parameterized.product(dtype=DTYPES, distribution=DISTRIBUTIONS)
    def test_stateless_functions(self, dtype, distribution):
        rng = random.Random(f"{dtype} {distribution}")
        for rank in RANKS:
            shape = random_shape(rng, rank)
            words = random_seed(rng), random_seed(rng)
            scale, mode, _ = random_options(rng)
            factor = reference.limit_or_stddev(scale, mode, *reference.fans(shape), distribution)
            ours = tf_vsinit.stateless_variance_scaling(
                shape,
                words,
                scale=scale,
                mode=mode,
                distribution=distribution,
                dtype=dtype,
                stream="tensorflow",
            )
            if distribution == "uniform":
                wanted = tf.random.stateless_uniform(shape, words, -factor, factor, dtype)
            elif distribution == "truncated_normal":
                wanted = tf.random.stateless_truncated_normal(shape, words, 0.0, factor, dtype)
            else:
                wanted = tf.random.stateless_normal(shape, words, 0.0, factor, dtype)
            assert_same_bits(ours, wanted, (shape, words, scale, mode))

    def test_int32_and_unsigned_seeds(self):
        stddev = math.sqrt(1 / 9) / 0.87962566103423978
        for seed in (
            tf.constant([-3, 2**31 - 1], tf.int32),
            np.array([2**63 + 5, 2**64 - 1], np.uint64),
        ):
            assert_same_bits(
                tf_vsinit.stateless_variance_scaling([9], seed, stream="tensorflow"),
                tf.random.stateless_truncated_normal([9], seed, 0.0, stddev),
            )


class LegacyKerasTest(legacy_keras.LegacyKerasTest):
    """Runs this file with tf_keras."""


if __name__ == "__main__":
    absltest.main()
