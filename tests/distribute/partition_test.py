"""Shards as tf.distribute asks for them: values, memory and errors."""

import itertools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes
from tests.support.bits import assert_same_bits
from tf_vsinit import reference
from tf_vsinit.compat import v1

INVALID = tf.errors.InvalidArgumentError
SHAPE = (10, 6)
STREAMS = ("vsinit", "tensorflow")
# Rows 3 and 4. The first form is that of tf.distribute.
PARTITIONS = {
    "tf.distribute": ((2, *tf.TensorShape([6])), (3, 0)),
    "TensorShape": (tf.TensorShape([2, 6]), tf.TensorShape([3, 0])),
    "lists": ([2, 6], [3, 0]),
    "arrays": (np.array([2, 6]), np.array([3, 0], np.int32)),
    "tensors": (tf.constant([2, 6]), tf.constant([3, 0], tf.int64)),
    "to_the_end_of_an_axis": ((2, -1), (3, 0)),
}
# Bad shards of SHAPE, and the argument and value that the error must name.
BAD = {
    "ends_outside": ((4, 6), (7, 0), "partition_shape", r"\[4, 6\]"),
    "ends_outside_on_the_last_axis": ((2, 6), (3, 1), "partition_shape", r"\[2, 6\]"),
    "begins_outside": ((0, 6), (11, 0), "partition_offset", r"\[11, 0\]"),
    "begins_before": ((2, 6), (-1, 0), "partition_offset", r"\[-1, 0\]"),
    "negative_extent": ((-2, 6), (3, 0), "partition_shape", r"\[-2, 6\]"),
    "rank_of_shape": ((2,), (3, 0), "partition_shape", r"\[2\]"),
    "rank_of_offset": ((2, 6), (3, 0, 0), "partition_offset", r"\[3, 0, 0\]"),
    "rank_of_both": ((2, 6, 1), (3, 0, 0), "partition_(shape|offset)", r"\[.*\]"),
    "offset_alone": (None, (3, 0), "partition_shape", "None"),
    "shape_alone": ((2, 6), None, "partition_offset", "None"),
    "shape_not_known": (tf.TensorShape([2, None]), (3, 0), "partition_shape", "None"),
    "no_integers": ((2.5, 6), (3, 0), "partition_shape", "2.5"),
    "no_sequence": (2, (3, 0), "partition_shape", "2"),
    "fractions_of_a_tensor": (tf.constant([2.0, 6.0]), (3, 0), "partition_shape", "tf.Tensor"),
}
NOT_STATIC = ("offset_alone", "shape_alone", "shape_not_known", "no_integers", "no_sequence")


def initializer(stream="vsinit"):
    return tf_vsinit.HeNormal(seed=1, stream=stream)


def draw(partition_shape, partition_offset, stream="vsinit"):
    return initializer(stream)(
        SHAPE, partition_shape=partition_shape, partition_offset=partition_offset
    )


class ValuesTest(parameterized.TestCase):
    @parameterized.product(spelling=tuple(PARTITIONS), stream=STREAMS)
    def test_a_shard_has_the_values_of_the_whole(self, spelling, stream):
        whole = reference.stateless_variance_scaling(SHAPE, [1, 0], scale=2.0, stream=stream)
        for call in (draw, tf.function(draw)):
            part = call(*PARTITIONS[spelling], stream)
            self.assertEqual(np.asarray(part).tobytes(), whole[3:5].tobytes())

    @parameterized.product(
        name=("GlorotNormal", "HeUniform"), dtype=("bfloat16", "float64"), seed=(1, -5)
    )
    def test_shards_join_to_the_whole_stock_variable(self, name, dtype, seed):
        ours = getattr(tf_vsinit, name)(seed=seed, stream="tensorflow")
        shards = [
            ours(SHAPE, dtype, partition_shape=(rows, 6), partition_offset=(first, 0))
            for first, rows in ((0, 4), (4, 5), (9, 1))
        ]
        whole = getattr(tf.keras.initializers, name)(seed=seed)(SHAPE, dtype)
        assert_same_bits(tf.concat(shards, 0), whole)

    @parameterized.parameters(*STREAMS)
    def test_offsets_known_only_at_run_time(self, stream):
        whole = initializer(stream)(SHAPE)
        rows = tf.function(
            lambda first, count: draw(tf.stack([count, 6]), tf.stack([first, 0]), stream)
        )
        for first, count in ((0, 10), (3, 2), (9, 1), (10, 0)):
            part = rows(tf.constant(first), tf.constant(count))
            self.assertEqual(
                np.asarray(part).tobytes(), np.asarray(whole[first : first + count]).tobytes()
            )


class AllocationTest(parameterized.TestCase):
    """The memory of a draw depends on the shard and not on the variable."""

    def test_peak_memory_of_a_sixteenth_of_a_gibibyte(self):
        program = """
import tf_vsinit
from tests.support import process_memory
initializer = tf_vsinit.HeNormal(seed=1)
def shard(rows):
    return initializer(
        [16384, 16384], partition_shape=(rows, 16384), partition_offset=(4096, 0))
shard(64)
with process_memory.peak_rise() as rise:
    value = shard(1024)
print(rise["self"])
"""
        risen = float(processes.output_of("-c", program))
        self.assertBetween(risen, 64.0, 68.0)

    @parameterized.parameters(*STREAMS)
    def test_a_shard_of_a_variable_too_large_to_exist(self, stream):
        shape, size, offset = [2**25, 2**25], (3, 5), (2**24, 2**25 - 5)
        options = dict(scale=2.0, stream=stream)
        expected = reference.stateless_variance_scaling(
            shape, [1, 0], begin=offset, size=size, **options
        )
        calls = (
            lambda s, o: initializer(stream)(shape, partition_shape=s, partition_offset=o),
            lambda s, o: tf_vsinit.stateless_variance_scaling(
                shape, [1, 0], begin=o, size=s, **options
            ),
        )
        for call, make in itertools.product(calls, (tuple, tf.constant)):
            for run in (call, tf.function(call), tf.function(call, jit_compile=make is tuple)):
                value = run(make(size), make(offset))
                self.assertEqual(np.asarray(value).tobytes(), expected.tobytes())


class BadInputTest(parameterized.TestCase):
    @parameterized.parameters(*BAD)
    def test_an_error_names_the_argument_and_its_value(self, what):
        shape, offset, named, value = BAD[what]
        for call in (draw, tf.function(lambda s, o: draw(s, o), autograph=False)):
            with self.assertRaisesRegex(ValueError, f"(?s)`{named}`.*{named}=.*{value}"):
                call(shape, offset)

    @parameterized.parameters(*(what for what in BAD if what not in NOT_STATIC))
    def test_an_error_at_run_time_names_the_argument(self, what):
        shape, offset, _, _ = BAD[what]
        shape, offset = tf.convert_to_tensor(shape), tf.convert_to_tensor(offset)
        for known_rank in (True, False):
            signature = [
                tf.TensorSpec(v.shape if known_rank else None, v.dtype) for v in (shape, offset)
            ]
            call = tf.function(draw, input_signature=signature)
            with self.assertRaisesRegex((INVALID, ValueError), "begin|size|partition_shape"):
                call(shape, offset)

    @parameterized.parameters(
        (dict(begin=(7, 0), size=(4, 6)), r"`size`.*size=\[4, 6\]"),
        (dict(begin=(11, 0)), r"`begin`.*begin=\[11, 0\]"),
        (dict(begin=(0,)), r"`begin`.*begin=\[0\]"),
        (dict(size=(1, 2, 3)), r"`size`.*size=\[1, 2, 3\]"),
    )
    def test_an_error_of_the_function_names_begin_or_size(self, box, message):
        with self.assertRaisesRegex(ValueError, message):
            tf_vsinit.stateless_variance_scaling(SHAPE, [1, 0], **box)

    @parameterized.parameters(
        (lambda: initializer()(SHAPE, partition_extent=None), "partition_extent"),
        (lambda: initializer()(SHAPE, partition_shap=(2, 6)), "partition_shap"),
        (lambda: initializer()(SHAPE, begin=(0, 0)), "begin"),
        (lambda: tf_vsinit.stateless_variance_scaling(SHAPE, [1, 0], offset=3), "offset"),
        (lambda: tf_vsinit.stateless_variance_scaling(SHAPE, [1, 0], size_=3), "size_"),
        (lambda: v1.he_normal(seed=1)(SHAPE, partition_shape=(2, 6)), "partition_shape"),
    )
    def test_an_error_names_an_unknown_keyword(self, call, name):
        for run in (call, tf.function(call)):
            with self.assertRaisesRegex(ValueError, f"Argument `{name}` is not known.*shape, "):
                run()

    def test_a_shard_with_a_seed_generator_is_an_error(self):
        generator = tf.keras.random.SeedGenerator(5)
        with self.assertRaisesRegex(INVALID, "(?s)`seed` .*SeedGenerator"):
            tf_vsinit.HeNormal(seed=generator)(
                SHAPE, partition_shape=(2, 6), partition_offset=(3, 0)
            )


if __name__ == "__main__":
    absltest.main()
