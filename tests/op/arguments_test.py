"""What stateless_variance_scaling takes for its arguments, and what its errors say."""

import itertools
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support.bits import assert_same_bits
from tf_vsinit import _tensorflow_private

draw = tf_vsinit.stateless_variance_scaling


class UnsignedSeedTest(parameterized.TestCase):
    @parameterized.parameters(*itertools.product((0, 7, 2**63, 2**64 - 1), (0, 2**63 + 5)))
    def test_wraps_as_in_tensorflow(self, *pair):
        seed = np.array(pair, np.uint64)
        wrapped = draw([64], seed.astype(np.int64), distribution="uniform")
        limit = math.sqrt(3.0 / 64)
        stock = tf.random.stateless_uniform([64], seed, -limit, limit)
        assert_same_bits(wrapped, stock)
        tensors = [tf.constant(number, tf.uint64) for number in pair]
        for given in (seed, tf.constant(seed), tensors):
            assert_same_bits(draw([64], given, distribution="uniform"), stock)
            in_a_graph = tf.function(lambda s=given: draw([64], s, distribution="uniform"))
            assert_same_bits(in_a_graph(), stock)

    def test_numbers_in_a_list_do_not_wrap(self):
        for seed in ([2**63, 0], [np.uint64(2**63), 0]):
            with self.assertRaisesRegex(ValueError, "`seed` .*9223372036854775808"):
                draw([2], seed)
            with self.assertRaises(ValueError):
                tf.random.stateless_uniform([2], seed)


class BoolTest(parameterized.TestCase):
    @parameterized.parameters(
        *(
            dict(argument=argument, value=value)
            for argument in ("shape", "seed", "begin", "size")
            for value in (
                [True, 3],
                [3, False],
                (np.True_, 3),
                np.array([True, True]),
                tf.constant([True, True]),
                [tf.constant(True), 1],
            )
        )
    )
    def test_is_no_integer(self, argument, value):
        arguments = {"shape": [4, 6], "seed": [1, 2], argument: value}
        with self.assertRaisesRegex(ValueError, f"(?s)Argument `{argument}` .*(True|False)"):
            draw(**arguments)

    def test_is_no_axis(self):
        with self.assertRaisesRegex(ValueError, r"`input_axes` .*\[True\]"):
            draw([4, 6], [1, 2], input_axes=[True], output_axes=[0])


class ScaleTest(parameterized.TestCase):
    def test_integers_beyond_float64(self):
        for scale in (10**400, 10**5000, -(10**400)):
            with self.assertRaisesRegex(ValueError, "`scale` must be a positive finite number"):
                draw([2], [1, 2], scale=scale)

    @parameterized.parameters(1 + 2j, True, "2.0")
    def test_tensors_that_are_no_real_numbers(self, value):
        for scale in (tf.constant(value), tf.Variable(value)):
            with self.assertRaisesRegex(ValueError, "(?s)`scale` must be a real number. Received"):
                draw([2], [1, 2], scale=scale)
        in_a_graph = tf.function(lambda scale: draw([2], [1, 2], scale=scale))
        with self.assertRaisesRegex(ValueError, "`scale` must be a real number"):
            in_a_graph(tf.constant(value))

    @parameterized.parameters(tf.float16, tf.bfloat16, tf.int8, tf.uint64)
    def test_tensors_of_any_real_dtype(self, dtype):
        assert_same_bits(
            draw([9], [1, 2], scale=tf.constant(2, dtype)), draw([9], [1, 2], scale=2.0)
        )


class RankTest(parameterized.TestCase):
    @parameterized.parameters((1,), (0,))
    def test_the_highest_with_unit_fans(self, extent):
        shape = [2, 3] + [1] * 251 + [extent]
        drawn = draw(shape, [1, 2], input_axes=[], output_axes=[], distribution="uniform")
        self.assertEqual(drawn.shape, shape)
        expected = draw([6 * extent], [1, 2], input_axes=[], output_axes=[], distribution="uniform")
        assert_same_bits(tf.reshape(drawn, [-1]), expected)

    def test_the_highest_with_unit_fans_in_a_shape_known_when_a_graph_runs(self):
        shape = [2, 3] + [1] * 251 + [2]
        options = dict(input_axes=[], output_axes=[])

        @tf.function(input_signature=[tf.TensorSpec([254], tf.int32)])
        def drawn(shape):
            return draw(shape, [1, 2], **options)

        def flat(values):
            # NumPy's arrays have at most 64 axes.
            return tf.reshape(values, [-1])

        assert_same_bits(flat(drawn(shape)), flat(draw(shape, [1, 2], **options)))

    def test_one_too_many(self):
        self.assertEqual(draw([1] * 254, [1, 2]).shape.rank, 254)
        for options in ({}, dict(input_axes=[], output_axes=[])):
            with self.assertRaisesRegex(ValueError, "`shape` must have at most 254 axes"):
                draw([1] * 255, [1, 2], **options)


class LongValueTest(absltest.TestCase):
    def test_is_shortened_in_the_message(self):
        for arguments in (
            dict(shape=[1] * 100_000),
            dict(shape=[1.5] * 100_000),
            dict(seed=list(range(100_000))),
            dict(begin=[0] * 100_000),
            dict(size=[0] * 100_000),
            dict(input_axes=[7] * 100_000, output_axes=[0]),
            dict(mode="fan" * 100_000),
            dict(shape=[10**5000]),
        ):
            with self.subTest(" ".join(arguments)):
                with self.assertRaisesRegex(ValueError, "Argument `") as caught:
                    draw(**{"shape": [4, 6], "seed": [1, 2], **arguments})
                self.assertLess(len(str(caught.exception)), 1000)


class MemoryTest(absltest.TestCase):
    def growth(self, call, times):
        """Returns how many bytes of Python's and TensorFlow's host memory `times` calls leave."""
        for i in range(10):
            call(i)
        before = resident_bytes()
        for i in range(10, 10 + times):
            call(i)
        return resident_bytes() - before

    def test_distinct_scales_leave_nothing(self):
        # More than the cache of inputs holds; then each scale leaves 0.8 kB if anything keeps it.
        call = lambda i: draw([2], [1, 2], scale=1.0 + i / 1e6)  # noqa: E731
        for i in range(1_000_000, 1_006_000):
            call(i)
        self.assertLess(self.growth(call, 20_000), 4 * 2**20)

    def test_calls_that_fail_leave_nothing(self):
        kept = _tensorflow_private._kept_host_tensor
        before = kept.cache_info().currsize
        for i in range(20):
            for name in ("shape", "begin", "size", "seed"):
                arguments = {"shape": [4, 6], "seed": [1, 2], name: [i] + [1] * 100_000}
                with self.assertRaises(ValueError):
                    draw(**arguments)
        self.assertEqual(kept.cache_info().currsize, before)


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


if __name__ == "__main__":
    absltest.main()
