"""The op at the limits of ranks, sizes, messages and memory: an error that names the argument."""

from __future__ import annotations

import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes, xla

INVALID = tf.errors.InvalidArgumentError
UNKNOWN = object()  # a placeholder: a value that is known only when the graph runs


def draw(shape, begin=None, size=None, seed=(1, 2), **attributes):
    """Calls the op. Arguments other than vectors of integers are passed on as they are."""

    def vector(values):
        return tf.constant(values, tf.int64) if isinstance(values, list | tuple) else values

    rank = len(shape) if isinstance(shape, list) else 0
    return tf_vsinit.loading.load().vsinit_stateless_variance_scaling(
        shape=vector(shape),
        seed=vector(seed),
        begin=vector([0] * rank if begin is None else begin),
        size=vector([-1] * rank if size is None else size),
        scale=tf.constant(1.0, tf.float64),
        **attributes,
    )


def draw_in_graph(**arguments):
    """Adds the op to a graph and returns its output."""
    with tf.Graph().as_default():
        for name, value in arguments.items():
            if value is UNKNOWN:
                arguments[name] = tf.compat.v1.placeholder(tf.int64, [None])
        return draw(**arguments)


def seeds(count):
    return [[i, 0] for i in range(count)]


class RankTest(parameterized.TestCase):
    """TensorFlow has no tensors of more than 254 axes, and ends the process in a shape function."""

    @parameterized.parameters(
        (dict(shape=[1] * 255), "shape must have at most 254 axes, got 255"),
        (
            dict(shape=[1] * 254, seed=seeds(1), batch=True),
            "shape must have at most 253 axes for a batch of seeds, got 254",
        ),
        (
            dict(shape=UNKNOWN, begin=UNKNOWN, size=[1] * 255),
            "shape must have at most 254 axes, got 255",
        ),
    )
    def test_too_many_axes_in_a_graph(self, arguments, message):
        with self.assertRaisesRegex(ValueError, message):
            draw_in_graph(**arguments)

    def test_too_many_axes_in_a_function(self):
        with self.assertRaisesRegex(ValueError, "shape must have at most 254 axes, got 300"):
            tf.function(lambda: draw([1] * 300))()

    @parameterized.parameters(
        (dict(shape=[1] * 255), "shape must have at most 254 entries, one for each axis, got 255"),
        (
            dict(shape=[1] * 254, seed=seeds(1), batch=True),
            "shape must have at most 253 axes for a batch of seeds, got 254",
        ),
        (dict(shape=[1], size=[1] * 255), "size must have at most 254 entries"),
    )
    def test_too_many_axes_in_eager_mode(self, arguments, message):
        with self.assertRaisesRegex(INVALID, message):
            draw(**arguments)

    @parameterized.parameters((254, {}), (253, dict(seed=seeds(1), batch=True)))
    def test_as_many_axes_as_tensorflow_has(self, rank, arguments):
        self.assertEqual(draw([1] * rank, **arguments).shape.rank, 254)
        self.assertEqual(draw_in_graph(shape=[1] * rank, **arguments).shape.rank, 254)


class CountTest(parameterized.TestCase):
    """TensorFlow ends the process for inferred shapes of 2^63 elements or more."""

    @parameterized.parameters(
        (dict(shape=[2**32, 2**31]), "shape must have fewer than 2.63 elements"),
        (dict(shape=[4, 2**62, 0]), "shape must have fewer than 2.63 elements"),
        (
            dict(shape=UNKNOWN, begin=[0, 0], size=[2**32, 2**31]),
            r"size must cut out fewer than 2\^60 elements, got \[4294967296, 2147483648\]",
        ),
        (dict(shape=UNKNOWN, begin=[0, 0, 0], size=[4, 2**62, 0]), r"size must cut out .* 2\^60"),
        (dict(shape=UNKNOWN, begin=UNKNOWN, size=[2**40, 2**40, -1]), r"size must .* 2\^60"),
        (
            dict(shape=[2**59], seed=seeds(16), batch=True),
            r"size must cut out .* got \[576460752303423488\] for each of 16 seeds",
        ),
    )
    def test_too_many_elements_in_a_graph(self, arguments, message):
        with self.assertRaisesRegex(ValueError, message):
            draw_in_graph(**arguments)

    @parameterized.parameters(
        (dict(shape=[2**40, 0]), [2**40, 0]),
        (dict(shape=[2**59]), [2**59]),
        (dict(shape=[2**59], seed=seeds(1), batch=True), [1, 2**59]),
        (dict(shape=UNKNOWN, begin=UNKNOWN, size=[-1, 2**40]), [None, 2**40]),
    )
    def test_sizes_that_tensorflow_can_represent(self, arguments, shape):
        self.assertEqual(draw_in_graph(**arguments).shape.as_list(), shape)


class NegativeEntriesTest(parameterized.TestCase):
    """The op names the argument in graphs, where TensorFlow's own error would not."""

    @parameterized.parameters(
        (dict(shape=[3, -5]), r"shape\[1\] must not be negative, got -5 in shape \[3, -5\]"),
        (dict(shape=[3, -1]), r"shape\[1\] must not be negative, got -1"),
        (dict(shape=[3, 4], begin=[0, -5]), r"begin\[1\] must be from 0 to .* = 4, got -5"),
        (dict(shape=[3, 4], begin=[-1, 0]), r"begin\[0\] must be from 0 to .* = 3, got -1"),
        (dict(shape=[3, 4], size=[-5, -1]), r"size\[0\] must be -1 .* = 3, got -5"),
        (dict(shape=[3, 4], begin=[-5, 0], size=UNKNOWN), r"begin\[0\] must be from 0 .* got -5"),
        (dict(shape=[-5], begin=UNKNOWN, size=UNKNOWN), r"shape\[0\] must not be .* -5"),
        (dict(shape=UNKNOWN, begin=[-5], size=[2]), r"begin\[0\] must not be negative, got -5"),
        (dict(shape=UNKNOWN, begin=[0], size=[-5]), r"size\[0\] must be -1 .* or more, got -5"),
    )
    def test_in_a_graph(self, arguments, message):
        with self.assertRaisesRegex(ValueError, message):
            draw_in_graph(**arguments)
        if UNKNOWN not in arguments.values():
            with self.assertRaisesRegex(ValueError, message):
                tf.function(lambda: draw(**arguments))()


class MessageTest(absltest.TestCase):
    def test_a_long_list_is_shortened(self):
        with self.assertRaises(INVALID) as raised:
            draw([3, 5], input_axes=list(range(100_000)), output_axes=[])
        message = str(raised.exception)
        self.assertIn("[0, 1, 2, 3, 4, 5, 6, 7, ..., 99999] (100000 entries)", message)
        self.assertLess(len(message), 1000)


class MemoryTest(absltest.TestCase):
    """A batch takes the memory of its output and no more, and too large a one is an error."""

    # The seeds take 128 MiB. A copy of them does not fit into the 64 MiB that are left; one value
    # for each seed does, 256 do not.
    PROGRAM = """
import re, resource, sys
import tensorflow as tf
import tf_vsinit
def draw(seeds, shape):
    return tf_vsinit.loading.load().vsinit_stateless_variance_scaling(
        shape=shape, seed=seeds, begin=tf.zeros_like(shape), size=shape,
        scale=tf.constant(1.0, tf.float64), batch=True)
function = tf.function(draw, jit_compile=True) if sys.argv[1] == "xla" else draw
empty, one, many = (tf.constant([n], tf.int64) for n in (0, 1, 256))
seeds = tf.ones([2**23, 2], tf.int64)
for shape in (empty, one):
    function(seeds, shape)
held = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1]) << 10
resource.setrlimit(resource.RLIMIT_AS, (held + (64 << 20), resource.RLIM_INFINITY))
print(function(seeds, empty).shape, function(seeds, one).shape)
try:
    draw(seeds, many)
except tf.errors.ResourceExhaustedError:
    print("ResourceExhausted")
"""

    def check(self, mode):
        output = processes.output_of("-c", self.PROGRAM, mode)
        lines = ["(8388608, 0) (8388608, 1)", "ResourceExhausted"]
        self.assertEqual(output.splitlines(), lines)

    def test_eager_mode(self):
        self.check("eager")

    @xla.needs_xla
    def test_xla(self):
        self.check("xla")


if __name__ == "__main__":
    absltest.main()
