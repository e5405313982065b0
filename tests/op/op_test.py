"""The op called without the Python checks: bad inputs, all shapes and memory."""

from __future__ import annotations

import pathlib

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import process_memory, processes

OP = "VsinitStatelessVarianceScaling"
INVALID = tf.errors.InvalidArgumentError
FOUR_GIB_OF_BFLOAT16 = 2**31 + 1024
# TensorFlow's allocator for oneDNN keeps freed memory, and takes more than is asked for.
PLAIN_ALLOCATOR = dict(TF_ENABLE_ONEDNN_OPTS="0")


def draw(shape, seed=(1, 2), begin=None, size=None, scale=1.0, index_dtype=tf.int64, **attributes):
    """Calls the op on tensors made from the arguments."""
    attributes = {"dtype": tf.float32, "seed_dtype": tf.int64, **attributes}
    seed = tf.constant(seed, attributes.pop("seed_dtype"))
    begin = [0] * len(shape) if begin is None else begin
    size = [-1] * len(shape) if size is None else size
    return tf_vsinit.loading.load().vsinit_stateless_variance_scaling(
        shape=tf.constant(shape, index_dtype),
        seed=seed,
        begin=tf.constant(begin, index_dtype),
        size=tf.constant(size, index_dtype),
        scale=tf.constant(scale, tf.float64),
        **attributes,
    )


class BadInputTest(parameterized.TestCase):
    """InvalidArgumentError names the argument and the value received."""

    @parameterized.parameters(
        (dict(shape=[3, -4]), r"shape\[1\] must not be negative, got -4"),
        (dict(shape=[2**32, 2**32]), r"shape must have fewer than 2\^63 .*4294967296, 4294967296"),
        (dict(shape=[[3]], begin=[0], size=[-1]), r"shape must be a vector.*\[1,1\]|rank 1"),
        (dict(shape=[3], seed=[1]), r"seed must have shape \[2\], got \[1\]"),
        (dict(shape=[3], seed=[1, 2, 3]), r"seed must have shape \[2\], got \[3\]"),
        (dict(shape=[3], seed=[[1, 2]]), r"seed must (be a vector|have shape \[2\])"),
        (dict(shape=[3], begin=[0, 0]), r"begin and size must have one entry .*\[0, 0\]"),
        (dict(shape=[3], size=[]), r"begin and size must have one entry"),
        (dict(shape=[3, 5], begin=[0, -1]), r"begin\[1\] must be from 0 .* = 5, got -1"),
        (dict(shape=[3, 5], begin=[4, 0]), r"begin\[0\] must be from 0 .* = 3, got 4"),
        (dict(shape=[3, 5], begin=[1, 0], size=[3, 5]), r"size\[0\] must be -1 .* = 2, got 3"),
        (dict(shape=[3, 5], size=[3, -2]), r"size\[1\] must be -1 .* = 5, got -2"),
        (dict(shape=[3], size=[2**62]), r"size\[0\] must be -1 .* = 3, got 4611686018427387904"),
        (dict(shape=[2**63 - 1], dtype=tf.half), r"size must cut out fewer than 2\^60 .*775807\]"),
        (dict(shape=[2**61 - 1], dtype=tf.double), r"size must cut out fewer than 2\^60 elements"),
        (dict(shape=[3], scale=0.0), r"scale must be positive and finite, got 0"),
        (dict(shape=[3], scale=-1.5), r"scale must be positive and finite, got -1.5"),
        (dict(shape=[3], scale=float("nan")), r"scale must be positive and finite, got nan"),
        (dict(shape=[3], scale=float("inf")), r"scale must be positive and finite, got inf"),
        (dict(shape=[3], scale=[1.0]), r"scale must be a scalar"),
        (dict(shape=[1], scale=1e80), r"scale 1e\+80 leads to values up to .* float cannot hold"),
        (dict(shape=[1], scale=1e10, dtype=tf.half), r"half cannot hold; its largest is 65504"),
        (
            dict(shape=[1], scale=7e8, dtype=tf.half, distribution="uniform", stream="tensorflow"),
            r"scale 7e\+08 leads to a uniform distribution 91651\..* wide, which half cannot hold",
        ),
        (
            dict(shape=[3, 5], input_axes=[2], output_axes=[0]),
            r"input_axes must be axes of shape \[3, 5\], from -2 to 1, got \[2\]",
        ),
        (dict(shape=[3, 5], input_axes=[0], output_axes=[-3]), r"output_axes .* got \[-3\]"),
        (dict(shape=[2**40], input_axes=[0, 0], output_axes=[0]), r"fans must be below 2\^63"),
    )
    def test_an_error_names_the_input(self, arguments, message):
        with self.assertRaisesRegex(INVALID, message):
            draw(**arguments)

    @parameterized.parameters(
        (dict(mode="fan_sum"), "fan_sum"),
        (dict(distribution="normal"), "normal"),
        (dict(stream="stock"), "stock"),
        (dict(dtype=tf.int32), "int32"),
    )
    def test_an_error_names_the_attribute(self, attributes, value):
        with self.assertRaisesRegex((INVALID, TypeError, ValueError), value):
            draw([3], **attributes)

    def test_the_largest_scale_that_fits_works(self):
        values = draw([1000], scale=1.4e12, dtype=tf.half, distribution="uniform")
        self.assertTrue(bool(tf.reduce_all(tf.math.is_finite(values))))
        self.assertGreater(float(tf.reduce_max(values)), 60000.0)

    def test_building_a_graph_checks_the_shapes_of_seed_and_scale(self):
        for changed, message in (
            (dict(seed=[1, 2, 3]), r"seed must have shape \[2\], got \[3\]"),
            (dict(scale=[1.0]), r"scale must be a scalar, got shape \[1\]"),
        ):
            with tf.Graph().as_default(), self.assertRaisesRegex(ValueError, message):
                draw([3], **changed)


class ShapeFunctionTest(parameterized.TestCase):
    """A graph knows the shape of the output as far as the inputs determine it."""

    def infer(self, shape, begin, size, dtype=tf.int32):
        """Returns the inferred shape. An entry None becomes a placeholder."""

        def vector(values):
            if values is None:
                return tf.compat.v1.placeholder(dtype, [None])
            if None not in values:
                return tf.constant(values, dtype)
            entries = [tf.compat.v1.placeholder(dtype, []) if v is None else v for v in values]
            return tf.stack([tf.cast(entry, dtype) for entry in entries])

        with tf.Graph().as_default():
            output = tf_vsinit.loading.load().vsinit_stateless_variance_scaling(
                shape=vector(shape),
                seed=tf.constant([1, 2]),
                begin=vector(begin),
                size=vector(size),
                scale=tf.constant(1.0, tf.float64),
            )
            return output.shape

    @parameterized.parameters(
        ([4, 6], [0, 0], [-1, -1], [4, 6]),
        ([4, 6], [1, 2], [-1, 3], [3, 3]),
        ([4, 6], [1, 2], [0, 4], [0, 4]),
        ([4, None], [1, 2], [-1, -1], [3, None]),
        ([4, None], [1, 2], [-1, 3], [3, 3]),
        ([4, 6], [None, 2], [-1, -1], [None, 4]),
        ([4, 6], [0, 0], [None, 3], [None, 3]),
        (None, [1, 2], [-1, 3], [None, 3]),
        ([4, 6], None, [-1, 3], [None, 3]),
        ([4, 6], [0, 0], None, [None, None]),
        ([], [], [], []),
    )
    def test_known_extents_are_inferred(self, shape, begin, size, want):
        for dtype in (tf.int32, tf.int64):
            self.assertEqual(self.infer(shape, begin, size, dtype).as_list(), want)

    def test_unknown_inputs_give_an_unknown_rank(self):
        self.assertIsNone(self.infer(None, None, None).rank)

    @parameterized.parameters(
        ([4, 6], [0], [-1, -1], r"vectors of one length, got shapes \[2\], \[1\] and \[2\]"),
        ([4, 6], [0, 0], [5, -1], r"size\[0\] must be -1 .* shape\[0\] - begin\[0\] = 4, got 5"),
        ([4, 6], [0, 7], [-1, -1], r"begin\[1\] must be from 0 to shape\[1\] = 6, got 7"),
        ([4, 6], [0, 0], [-1, -2], r"size\[1\] must be -1 .* = 6, got -2"),
    )
    def test_building_a_graph_checks_the_box(self, shape, begin, size, message):
        with self.assertRaisesRegex(ValueError, message):
            self.infer(shape, begin, size)


class ShapesTest(parameterized.TestCase):
    """Every rank, size and integer type works."""

    @parameterized.product(
        rank=list(range(9)), index_dtype=[tf.int32, tf.int64], seed_dtype=[tf.int32, tf.int64]
    )
    def test_every_rank_and_integer_type(self, rank, index_dtype, seed_dtype):
        shape = [2, 3, 1, 2, 3, 2, 1, 5][:rank]
        got = draw(shape, index_dtype=index_dtype, seed_dtype=seed_dtype)
        want = tf_vsinit.reference.stateless_variance_scaling(tuple(shape), (1, 2))
        self.assertEqual(got.shape, tuple(shape))
        np.testing.assert_array_equal(got, want)

    @parameterized.parameters(
        ([0],), ([0, 5],), ([5, 0],), ([2**40, 0],), ([0, 2**40],), ([3, 0, 2],)
    )
    def test_empty_shapes(self, shape):
        self.assertEqual(draw(shape).shape, tuple(shape))

    def test_an_empty_box(self):
        self.assertEqual(draw([4, 6], begin=[4, 2], size=[-1, 3]).shape, (0, 3))

    def test_a_small_box_near_the_end_of_a_huge_tensor(self):
        shape = [2**20, 2**30]
        got = draw(shape, begin=[2**20 - 2, 2**30 - 5], size=[2, 5])
        want = tf_vsinit.reference.stateless_variance_scaling(
            shape, (1, 2), begin=[2**20 - 2, 2**30 - 5], size=[2, 5]
        )
        np.testing.assert_array_equal(got, want)

    def test_more_than_2_31_elements(self):
        count = FOUR_GIB_OF_BFLOAT16
        whole = draw([count], dtype=tf.bfloat16, distribution="uniform")
        self.assertEqual(whole.shape, (count,))
        for begin in (0, 2**31 - 100, count - 200):
            part = draw(
                [count], begin=[begin], size=[200], dtype=tf.bfloat16, distribution="uniform"
            )
            np.testing.assert_array_equal(whole[begin : begin + 200], part)


class OneAllocationTest(parameterized.TestCase):
    """A draw takes the memory of its tensor and next to nothing more."""

    @parameterized.parameters("vsinit", "tensorflow")
    def test_peak_memory_of_one_gibibyte(self, stream):
        program = """
import sys, tf_vsinit
from tests.support import process_memory

draw = lambda rows: tf_vsinit.stateless_variance_scaling(
    [rows, 16384], [1, 2], stream=sys.argv[1])
draw(64)
with process_memory.peak_rise() as rise:
    value = draw(16384)
print(rise["self"] / 1024)
"""
        risen = float(processes.output_of("-c", program, stream, **PLAIN_ALLOCATOR))
        self.assertLessEqual(risen, 1.05)
        self.assertGreaterEqual(risen, 1.0, "the measurement must see the tensor")


class HugePagesTest(absltest.TestCase):
    """Fresh memory of 4 MiB or more gets huge pages where Linux gives them to those that ask."""

    def setUp(self):
        super().setUp()
        setting = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
        if not (setting.exists() and "[madvise]" in setting.read_text()):
            self.skipTest("Linux gives huge pages to all or to none here")
        before = process_memory.huge_pages_mib()
        # NumPy asks for huge pages, too.
        probe = np.ones(2**24, np.float32)
        if process_memory.huge_pages_mib() - before < 2:
            self.skipTest("Linux has no huge pages to give here")
        del probe

    def rise_of(self, count, extent):
        """Returns the MiB of huge pages that a new process gets when it draws squares."""
        program = """
import sys, tf_vsinit
from tests.support import process_memory

count, extent = map(int, sys.argv[1:])
tf_vsinit.stateless_variance_scaling([8, 8], [1, 2])
before = process_memory.huge_pages_mib()
kept = [tf_vsinit.stateless_variance_scaling([extent, extent], [1, 2]) for _ in range(count)]
print(process_memory.huge_pages_mib() - before)
"""
        return float(processes.output_of("-c", program, count, extent, **PLAIN_ALLOCATOR))

    def test_large_results(self):
        # The tensor takes 64 MiB. The op gives up after a huge page that takes long.
        self.assertBetween(self.rise_of(1, 4096), 2, 64)

    def test_small_results(self):
        self.assertEqual(self.rise_of(20, 1000), 0)


class OlderGraphTest(absltest.TestCase):
    def test_a_graph_without_the_attribute_stream_draws_stream_version_1(self):
        with tf.Graph().as_default() as graph:
            draw([3, 5])
            graph_def = graph.as_graph_def()
        (node,) = [node for node in graph_def.node if node.op == OP]
        self.assertIn("stream", node.attr)
        del node.attr["stream"]
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            (drawn,) = tf.import_graph_def(graph_def, return_elements=[f"{node.name}:0"])
            values = session.run(drawn)
        np.testing.assert_array_equal(
            values, tf_vsinit.reference.stateless_variance_scaling((3, 5), (1, 2))
        )


class RegistrationTest(absltest.TestCase):
    def test_the_op_is_not_stateful_and_not_differentiable(self):
        tf_vsinit.load()
        with tf.Graph().as_default():
            scale = tf.constant(1.0, tf.float64)
            value = tf_vsinit.loading.load().vsinit_stateless_variance_scaling(
                shape=[2], seed=[1, 2], begin=[0], size=[-1], scale=scale
            )
            self.assertFalse(value.op.op_def.is_stateful)
            self.assertEqual(value.op.type, OP)
            self.assertEqual(tf.gradients(value, scale), [None])


if __name__ == "__main__":
    absltest.main()
