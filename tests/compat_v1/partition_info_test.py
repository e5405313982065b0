"""Calls of compat.v1 initializers with boxes and errors that get_variable does not produce."""

import contextlib
import gc
import itertools
import weakref

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.python.ops import variable_scope

from tests.support.bits import assert_same_bits
from tests.support.v1_partitions import SHAPE, PartitionInfo, kept_objects
from tf_vsinit.compat import v1

tf1 = tf.compat.v1


class MutablePartitionInfo:
    """Unlike a namedtuple, it has attributes that can change, and it supports weak references."""

    def __init__(self, full_shape, var_offset):
        self.full_shape, self.var_offset = full_shape, var_offset


class CallTest(parameterized.TestCase):
    """Boxes and orders of calls that get_variable does not produce."""

    def boxes(self):
        """Returns boxes that cover SHAPE, cut along all its axes, in random order."""
        cuts = [(0, 5, 9, 12), (0, 1, 10), (0, 4, 7)]
        spans = [list(itertools.pairwise(cut)) for cut in cuts]
        boxes = [tuple(zip(*box, strict=True)) for box in itertools.product(*spans)]
        np.random.RandomState(0).shuffle(boxes)
        return boxes

    def assemble(self, initializer):
        whole = np.full(SHAPE, np.nan, np.float32)
        for begin, end in self.boxes():
            size = [e - b for b, e in zip(begin, end, strict=True)]
            values = initializer(size, partition_info=PartitionInfo(SHAPE, list(begin)))
            self.assertEqual(values.shape, size)
            whole[tuple(slice(b, e) for b, e in zip(begin, end, strict=True))] = values
        return whole

    def test_any_boxes_in_any_order(self):
        initializer = v1.he_normal(seed=1)
        assert_same_bits(self.assemble(initializer), initializer(SHAPE))

    def test_any_boxes_in_any_order_without_a_seed(self):
        self.addCleanup(tf1.set_random_seed, None)
        tf1.set_random_seed(1)
        initializer = v1.he_normal()
        wholes = [initializer(SHAPE).numpy() for _ in range(2)]
        tf1.set_random_seed(1)
        assert_same_bits(self.assemble(initializer), wholes[0])
        assert_same_bits(self.assemble(initializer), wholes[1])

    def test_a_shard_made_again_begins_another_variable(self):
        self.addCleanup(tf1.set_random_seed, None)
        initializer = v1.he_normal()
        tf1.set_random_seed(1)
        wholes = [initializer(SHAPE) for _ in range(2)]
        tf1.set_random_seed(1)
        half = (6, *SHAPE[1:])
        made = [
            initializer(half, partition_info=PartitionInfo(SHAPE, (first, 0, 0)))
            for first in (0, 0, 6)
        ]
        assert_same_bits(made[0], wholes[0][:6])
        assert_same_bits(tf.concat(made[1:], 0), wholes[1])

    @parameterized.product(
        scope=(None, "scope/part_1"),
        order=("a0 b0 a1 b1", "a0 b0 b1 a1", "a0 a1 b0 b1", "a0 a1 b1 b0", "a1 b1 a0 b0"),
        number_of_infos=(1, 2, 4),
    )
    def test_two_initializers_at_once(self, scope, order, number_of_infos):
        self.addCleanup(tf1.set_random_seed, None)
        initializers = {"a": v1.he_normal(), "b": v1.GlorotUniform()}
        tf1.set_random_seed(1)
        wholes = {name: initializers[name]([10, 5]) for name in "ab"}
        infos = [MutablePartitionInfo([10, 5], None) for _ in range(number_of_infos)]
        made = {}
        tf1.set_random_seed(1)
        for name, shard in order.split():
            # One object for all calls, one for each shard, or one for each call.
            info = infos[("a0 a1 b0 b1".split().index(name + shard)) % number_of_infos]
            info.var_offset = [5 * int(shard), 0]
            with tf.name_scope(scope) if scope else contextlib.nullcontext():
                made[name + shard] = initializers[name]([5, 5], partition_info=info)
        for name in "ab":
            assert_same_bits(tf.concat([made[name + "0"], made[name + "1"]], 0), wholes[name])

    def test_one_initializer_used_twice_for_each_shard(self):
        self.addCleanup(tf1.set_random_seed, None)
        initializer = kept_objects()
        tf1.set_random_seed(1)
        whole = initializer([10, 5])
        tf1.set_random_seed(1)
        shards = [
            initializer([size, 5], None, PartitionInfo([10, 5], [first, 0]))
            for size, first in ((4, 6), (3, 3), (3, 0))
        ]
        assert_same_bits(tf.concat(shards[::-1], 0), whole)

    def test_a_shard_without_elements_changes_nothing(self):
        self.addCleanup(tf1.set_random_seed, None)
        tf1.set_random_seed(1)
        whole = v1.he_normal()([10, 5]).numpy()
        tf1.set_random_seed(1)
        initializer = v1.he_normal()
        sizes = ((6, 0), (0, 3), (4, 6))
        shards = [
            initializer([size, 5], partition_info=PartitionInfo([10, 5], [first, 0])).numpy()
            for size, first in sizes
        ]
        assert_same_bits(np.concatenate(shards), whole)

    def test_nothing_keeps_an_initializer_after_its_last_shard(self):
        initializer = v1.he_normal()
        kept = weakref.ref(initializer)
        for size, first in ((6, 0), (4, 6)):
            initializer([size, 5], partition_info=PartitionInfo([10, 5], [first, 0]))
        del initializer
        gc.collect()
        self.assertIsNone(kept())

    @parameterized.parameters(None, "scope/part_0")
    def test_nothing_keeps_an_initializer_that_made_only_some_shards(self, scope):
        kept = []
        with tf.name_scope(scope) if scope else contextlib.nullcontext():
            for _ in range(3):
                initializer = v1.he_normal()
                info = MutablePartitionInfo([10, 5], [0, 0])
                initializer([6, 5], partition_info=info)
                kept.append((weakref.ref(initializer), weakref.ref(info)))
        del initializer, info
        gc.collect()
        self.assertEqual([initializer() for initializer, _ in kept], [None] * 3)
        # The last one is dropped at the next call.
        self.assertEqual([info() for _, info in kept[:-1]], [None] * 2)

    def test_every_form_of_partition_info_and_shape_is_accepted(self):
        initializer = v1.he_normal(seed=1)
        expected = initializer(SHAPE)[3:7]
        for info in (
            variable_scope._PartitionInfo([12, 10, 7], [3, 0, 0]),
            PartitionInfo(tf.TensorShape(SHAPE), np.array([3, 0, 0])),
        ):
            for shape in ([4, 10, 7], tf.TensorShape([4, 10, 7]), np.array([4, 10, 7])):
                assert_same_bits(initializer(shape, partition_info=info), expected)

    def test_fans_are_those_of_the_whole_variable(self):
        limit = np.sqrt(3.0 / 1000)
        shard = v1.lecun_uniform(seed=1)(
            [10, 400], partition_info=PartitionInfo([1000, 400], [990, 0])
        ).numpy()
        self.assertLess(np.abs(shard).max(), limit)
        self.assertGreater(np.abs(shard).max(), 0.99 * limit)


class BadPartitionTest(parameterized.TestCase):
    @parameterized.named_parameters(
        (
            "ends_after_the_variable",
            [4, 5],
            [10, 5],
            [7, 0],
            "`shape` must lie between 0 and 3 on axis 0",
        ),
        (
            "begins_after_it",
            [1, 5],
            [10, 5],
            [11, 0],
            "var_offset` must lie between 0 and 10 on ax",
        ),
        ("too_wide", [4, 6], [10, 5], [0, 0], "`shape` must lie between 0 and 5 on axis 1"),
        ("rank_of_the_shape", [4], [10, 5], [0, 0], r"`shape` must have one element for each"),
        ("rank_of_the_offset", [4, 5], [10, 5], [0], r"`partition_info.var_offset` must have one"),
        ("rank_of_the_full_shape", [4, 5], [10], [0], r"`shape` must have one element for each"),
        ("negative_offset", [4, 5], [10, 5], [-1, 0], r"`partition_info.var_offset` must be a se"),
        ("negative_shape", [-1, 5], [10, 5], [0, 0], r"`shape` must be a sequence of known int"),
        ("unknown_shape", [None, 5], [10, 5], [0, 0], r"`shape` must be a sequence of known int"),
        ("float_offset", [4, 5], [10, 5], [0.5, 0], r"`partition_info.var_offset` must be a seq"),
        ("unknown_extent", [4, 5], [None, 5], [0, 0], r"`partition_info.full_shape` must be a "),
        ("offset_without_shape", [4, 5], None, [0, 0], "`full_shape` is missing"),
        ("shape_without_offset", [4, 5], [10, 5], None, "`var_offset` is missing"),
    )
    def test_an_error_names_a_bad_partition(self, shape, full_shape, offset, message):
        info = PartitionInfo(full_shape, offset)
        for seed in (None, 1):
            with self.assertRaisesRegex(ValueError, message) as caught:
                v1.he_normal(seed=seed)(shape, partition_info=info)
            self.assertIn("Received: ", str(caught.exception))
            with tf.Graph().as_default() as graph:
                with self.assertRaisesRegex(ValueError, message):
                    v1.he_normal(seed=seed)(shape, partition_info=info)
                self.assertEmpty(graph.get_operations())

    @parameterized.parameters("partition", 3, ([10, 5],))
    def test_an_error_names_what_is_no_partition_info(self, info):
        with self.assertRaisesRegex(ValueError, "must have the attributes `full_shape` and"):
            v1.he_normal(seed=1)([4, 5], partition_info=info)

    def test_a_shape_known_only_at_run_time_is_an_error(self):
        info = PartitionInfo([10, 5], [0, 0])
        with tf.Graph().as_default():
            for shape in (
                tf1.placeholder(tf.int32, [2]),
                tf1.placeholder(tf.int32, None),
                tf.TensorShape(None),
                tf.TensorShape([None, 5]),
            ):
                with self.assertRaisesRegex(ValueError, "Argument `shape` must be a sequence of"):
                    v1.he_normal(seed=1)(shape, partition_info=info)

    def test_a_bad_shard_does_not_change_its_variable(self):
        self.addCleanup(tf1.set_random_seed, None)
        tf1.set_random_seed(1)
        initializer = v1.he_normal()
        whole = initializer([10, 5]).numpy()
        tf1.set_random_seed(1)
        halves = [initializer([5, 5], partition_info=PartitionInfo([10, 5], [0, 0])).numpy()]
        with self.assertRaises(ValueError):
            initializer([6, 5], partition_info=PartitionInfo([10, 5], [5, 0]))
        halves.append(initializer([5, 5], partition_info=PartitionInfo([10, 5], [5, 0])).numpy())
        assert_same_bits(np.concatenate(halves), whole)


if __name__ == "__main__":
    absltest.main()
