"""tf.vectorized_map over other arguments than seeds, and over boxes with very long axes."""

import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support.bits import assert_same_bits

SEEDS = tf.constant([[i, 7] for i in range(3)], tf.int64)
SCALES = tf.constant([1.0, 2.0, 3.0])

draw = tf_vsinit.stateless_variance_scaling


class WithoutTheFallbackTest(parameterized.TestCase):
    @parameterized.product(fallback=(True, False), in_a_graph=(True, False))
    def test_other_arguments_are_drawn_in_a_loop(self, fallback, in_a_graph):
        def over_scales(seeds, scales):
            return tf.vectorized_map(
                lambda pair: draw([6, 4], pair[0], scale=pair[1]),
                (seeds, scales),
                fallback_to_while_loop=fallback,
            )

        def over_rows(rows):
            return tf.vectorized_map(
                lambda row: draw([3, 4], [1, 2], begin=tf.stack([row, 0]), size=[1, 4])[0],
                rows,
                fallback_to_while_loop=fallback,
            )

        if in_a_graph:
            over_scales, over_rows = tf.function(over_scales), tf.function(over_rows)
        pairs = zip(SEEDS, SCALES, strict=True)
        scaled = tf.stack([draw([6, 4], seed, scale=scale) for seed, scale in pairs])
        assert_same_bits(over_scales(SEEDS, SCALES), scaled)
        assert_same_bits(over_rows(tf.range(3)), draw([3, 4], [1, 2]))

    def test_scales_around_a_map_over_seeds(self):
        found = tf.vectorized_map(
            lambda scale: tf.vectorized_map(
                lambda seed: draw([6, 4], seed, scale=scale), SEEDS, fallback_to_while_loop=False
            ),
            SCALES,
            fallback_to_while_loop=False,
        )
        wanted = [[draw([6, 4], seed, scale=scale) for seed in SEEDS] for scale in SCALES]
        assert_same_bits(found, tf.stack([tf.stack(row) for row in wanted]))


class LongAxisTest(parameterized.TestCase):
    @parameterized.parameters([[2**31, 0]], [[2**40, 0, 3]])
    def test_boxes_with_more_than_int32_along_an_axis(self, size):
        shape = tf.constant([max(extent, 2) for extent in size], tf.int64)
        members = lambda seeds: tf.vectorized_map(  # noqa: E731
            lambda seed: draw(shape, seed, size=tf.constant(size, tf.int64)), seeds
        )
        for function in (members, tf.function(members)):
            self.assertEqual(function(SEEDS).shape, [3, *size])


if __name__ == "__main__":
    absltest.main()
