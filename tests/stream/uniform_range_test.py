"""Uniform initializers stay in [-limit, limit), in every dtype."""

import itertools
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tf_vsinit import reference

DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)


class UniformRangeTest(parameterized.TestCase):
    def check(self, values, limit):
        """The limit is rounded to the type that the values are computed in."""
        limit = limit if values.dtype == np.float64 else float(np.float32(limit))
        values = values.astype(np.float64)
        self.assertGreaterEqual(values.min(), -limit)
        self.assertLess(values.max(), limit)
        # The range is used, up to the spacing of the 16-bit types.
        self.assertLess(values.min(), -0.99 * limit)
        self.assertGreater(values.max(), 0.99 * limit)

    # The limit is 0.5 for a fan of 12, and no bfloat16 or float16 for a fan of 100.
    @parameterized.parameters(itertools.product((12, 50, 100, 3), DTYPES))
    def test_lecun_uniform(self, fan, dtype):
        values = tf_vsinit.LecunUniform(seed=1)((fan, 100000), dtype).numpy()
        self.check(values, math.sqrt(3.0 / fan))

    @parameterized.parameters(itertools.product((1e-12, 1e-9, 3.0, 1e6), DTYPES))
    def test_the_op(self, scale, dtype):
        values = tf_vsinit.stateless_variance_scaling(
            (1, 500000), (1, 2), scale=scale, distribution="uniform", dtype=dtype
        ).numpy()
        self.check(values, math.sqrt(3.0 * scale))

    @parameterized.parameters("float16", "bfloat16")
    def test_a_limit_below_all_values_but_zero_gives_zeros(self, dtype):
        shape, options = (1000,), {"scale": 1e-90, "distribution": "uniform", "dtype": dtype}
        values = tf_vsinit.stateless_variance_scaling(shape, (1, 2), **options).numpy()
        np.testing.assert_array_equal(values.view(np.uint16), np.zeros(shape, np.uint16))
        of_reference = reference.stateless_variance_scaling(shape, (1, 2), **options)
        np.testing.assert_array_equal(of_reference.view(np.uint16), np.zeros(shape, np.uint16))


if __name__ == "__main__":
    absltest.main()
