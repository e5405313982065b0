"""The TensorFlow stream is what the stock initializers of every generation draw, bit for bit.

Keras 3, tf_keras and compat.v1, eager, on a CPU: all classes, dtypes and ranks. The reference
stands for the stream here; the op is compared with the reference elsewhere.
"""

import random

import keras
import ml_dtypes
import numpy as np
import tensorflow as tf
import tf_keras
from absl.testing import absltest, parameterized

from tests.support import bits
from tf_vsinit import reference
from tf_vsinit.compat.v1 import seeds

# Scale, mode and distribution of each class.
CLASSES = {
    "GlorotNormal": (1.0, "fan_avg", "truncated_normal"),
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "HeNormal": (2.0, "fan_in", "truncated_normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "truncated_normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
}
V1_NAMES = {
    "GlorotNormal": "glorot_normal",
    "GlorotUniform": "glorot_uniform",
    "HeNormal": "he_normal",
    "HeUniform": "he_uniform",
    "LecunNormal": "lecun_normal",
    "LecunUniform": "lecun_uniform",
}
DTYPES = ("float16", "bfloat16", "float32", "float64")
RANKS = range(6)
# Keras 3 takes each element of a seed modulo this.
KERAS_SEED_MODULUS = 2**31 - 2


def random_options(rng):
    """Returns scale, mode and distribution for VarianceScaling."""
    scale = rng.choice([1, 2.0, 0.37, 1e-4, rng.uniform(0.1, 3.0)])
    mode = rng.choice(["fan_in", "fan_out", "fan_avg"])
    return scale, mode, rng.choice(["truncated_normal", "untruncated_normal", "uniform"])


def random_shape(rng, rank):
    return tuple(rng.randrange(1, (0, 2000, 40, 12, 7, 5)[rank]) for _ in range(rank))


def expected(shape, seed, options, dtype, float32_limit=False):
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


def keras_3(name, options, seed, shape, dtype):
    """Returns what Keras 3 draws and what the stream says."""
    if name == "VarianceScaling":
        initializer = keras.initializers.VarianceScaling(*options, seed=seed)
    else:
        initializer = getattr(keras.initializers, name)(seed=seed)
    words = (seed % KERAS_SEED_MODULUS, 0)
    return initializer(shape, dtype), expected(shape, words, options, dtype, float32_limit=True)


def legacy_keras(name, options, seed, shape, dtype):
    """Returns what tf_keras draws and what the stream says."""
    if name == "VarianceScaling":
        initializer = tf_keras.initializers.VarianceScaling(*options, seed=seed)
    else:
        initializer = getattr(tf_keras.initializers, name)(seed=seed)
    return initializer(shape, dtype), expected(shape, (seed, 0), options, dtype)


def compat_v1(name, options, seed, shape, dtype):
    """Returns what compat.v1 draws first and what the stream says."""
    tf.compat.v1.set_random_seed(seed // 3)
    if name == "VarianceScaling":
        initializer = tf.compat.v1.variance_scaling_initializer(*options, seed=seed)
    else:
        initializer = getattr(tf.compat.v1.initializers, V1_NAMES[name])(seed=seed)
    values = initializer(shape, tf.as_dtype(dtype))
    return values, expected(shape, seeds.variable_seed(seed), options, dtype)


GENERATIONS = (keras_3, legacy_keras, compat_v1)


class TensorFlowStockTest(parameterized.TestCase):
    @parameterized.product(generation=GENERATIONS, dtype=DTYPES)
    def test_every_class_and_rank(self, generation, dtype):
        rng = random.Random(f"{generation.__name__} {dtype}")
        for rank in RANKS:
            for name, options in {**CLASSES, "VarianceScaling": random_options(rng)}.items():
                seed = rng.choice([rng.randrange(2**31), rng.randrange(-(2**63), 2**63), 1])
                shape = random_shape(rng, rank)
                drawn, wanted = generation(name, options, seed, shape, dtype)
                bits.assert_same_bits(drawn, wanted, (name, options, seed, shape))

    @parameterized.product(
        generation=GENERATIONS,
        dtype=DTYPES,
        distribution=("truncated_normal", "untruncated_normal", "uniform"),
    )
    def test_over_a_million_elements(self, generation, dtype, distribution):
        shape = (1031, 1021)
        options = (2.0, "fan_avg", distribution)
        drawn, wanted = generation("VarianceScaling", options, 2**31 - 3, shape, dtype)
        bits.assert_same_bits(drawn, wanted)

    @parameterized.parameters("float16", "bfloat16")
    def test_16_bit_factors_are_rounded_to_float32_first(self, dtype):
        # Standard deviations that lie beside the middle of two 16-bit numbers.
        width = 10 if dtype == "float16" else 7
        for distance in (2.0**-30, -(2.0**-30)):
            stddev = 1 + 2.0 ** -(width + 1) + distance
            options = (stddev**2, "fan_in", "untruncated_normal")
            for generation in GENERATIONS:
                drawn, wanted = generation("VarianceScaling", options, 1, (1,), dtype)
                bits.assert_same_bits(drawn, wanted)

    def test_no_normal_is_minus_zero(self):
        options = (1e-14, "fan_in", "untruncated_normal")
        for generation in GENERATIONS:
            drawn, wanted = generation("VarianceScaling", options, 3, (1, 100), "float16")
            bits.assert_same_bits(drawn, wanted)
            self.assertTrue(np.any(wanted == 0))
            self.assertFalse(np.any(np.signbit(wanted[wanted == 0])))

    @parameterized.parameters(0, 1, 2**31 - 3, 2**31 - 2, 2**31, 2**40 + 5, -1, -(2**63))
    def test_keras_3_takes_seeds_modulo_its_modulus(self, seed):
        drawn, wanted = keras_3("HeNormal", CLASSES["HeNormal"], seed, (3, 5), "float32")
        bits.assert_same_bits(drawn, wanted)

    @parameterized.parameters(5, 2**31 - 2, -7)
    def test_keras_3_seed_generators_count_in_the_second_element(self, seed):
        initializer = keras.initializers.HeNormal(seed=keras.random.SeedGenerator(seed))
        for count in range(3):
            wanted = expected(
                (4, 3), (seed % KERAS_SEED_MODULUS, count), CLASSES["HeNormal"], "float32"
            )
            bits.assert_same_bits(initializer((4, 3), "float32"), wanted)


if __name__ == "__main__":
    absltest.main()
