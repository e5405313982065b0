"""The op, the reference, XLA, a batch and joined boxes agree for any arguments, or all refuse."""

from __future__ import annotations

import math

import tensorflow as tf
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

import tf_vsinit
from tests.support import xla
from tests.support.bits import assert_same_bits
from tf_vsinit import reference

# The same examples in every run: a run that fails can be repeated.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

INT64 = st.integers(-(2**63), 2**63 - 1)
# What a draw raises for an argument out of its range, known in Python or not.
REFUSALS = (ValueError, tf.errors.InvalidArgumentError)


@st.composite
def options(draw):
    """The arguments that say what is drawn, without the seed and the box."""
    return dict(
        scale=2.0 ** draw(st.one_of(st.floats(-60, 60), st.floats(20, 45), st.floats(230, 300))),
        mode=draw(st.sampled_from(["fan_in", "fan_out", "fan_avg", "fan_geo_avg"])),
        distribution=draw(st.sampled_from(["truncated_normal", "untruncated_normal", "uniform"])),
        dtype=draw(st.sampled_from([tf.float16, tf.bfloat16, tf.float32, tf.float64])),
        stream=draw(st.sampled_from(reference.STREAMS)),
    )


@st.composite
def shapes(draw):
    """Full shapes of any rank, with short axes, long ones and now and then an empty one."""
    extent = st.one_of(
        st.integers(1, 9), st.integers(1, 300), st.integers(1, 2**40), st.just(1), st.just(0)
    )
    return draw(st.lists(extent, max_size=6))


@st.composite
def boxes(draw, shape):
    """Begin and size of a box of at most some thousand elements, anywhere in the shape."""
    begin, size, left = [], [], 4000
    for extent in shape:
        first = draw(st.integers(0, extent))
        count = draw(st.integers(0, min(extent - first, left)))
        left //= max(count, 1)
        begin.append(first)
        size.append(count)
    return begin, size


@st.composite
def axes(draw, shape):
    """Input and output axes that a shape has, or neither."""
    if not shape or draw(st.booleans()):
        return dict(input_axes=None, output_axes=None)
    some = st.lists(st.integers(-len(shape), len(shape) - 1), max_size=3)
    return dict(input_axes=draw(some), output_axes=draw(some))


def outcome(function):
    """Returns what a function returns, or None where it refuses its arguments."""
    try:
        return function()
    except REFUSALS:
        return None


class AgreementTest(absltest.TestCase):
    def assert_agree(self, found, wanted, message):
        self.assertEqual(found is None, wanted is None, f"one refuses: {message}")
        if wanted is not None:
            assert_same_bits(found, wanted, message)

    @settings(max_examples=400)
    @given(st.data())
    def test_the_op_and_the_reference(self, data):
        shape = data.draw(shapes())
        begin, size = data.draw(boxes(shape))
        seed = data.draw(st.tuples(INT64, INT64))
        arguments = dict(begin=begin, size=size, **data.draw(axes(shape)), **data.draw(options()))
        # ml_dtypes has bfloat16, which NumPy's own dtypes lack.
        wanted_arguments = {**arguments, "dtype": arguments["dtype"].as_numpy_dtype}
        self.assert_agree(
            outcome(lambda: tf_vsinit.stateless_variance_scaling(shape, seed, **arguments)),
            outcome(lambda: reference.stateless_variance_scaling(shape, seed, **wanted_arguments)),
            (shape, seed, arguments),
        )

    @settings(max_examples=300)
    @given(st.data())
    def test_tensors_and_python_values(self, data):
        # Wrong values are wanted here: sizes may leave the shape by one.
        shape = data.draw(st.lists(st.integers(-1, 9), max_size=4))
        vector = st.lists(st.integers(-2, 9), min_size=len(shape), max_size=len(shape))
        begin, size = data.draw(vector), data.draw(vector)
        chosen = data.draw(options())
        scale = data.draw(st.sampled_from([chosen["scale"], 0.0, -1.0, math.nan, math.inf]))
        arguments = dict(chosen, scale=scale)

        @tf.function(autograph=False)
        def of_tensors(shape, begin, size, scale):
            return tf_vsinit.stateless_variance_scaling(
                shape, [3, 4], begin=begin, size=size, **{**arguments, "scale": scale}
            )

        self.assert_agree(
            outcome(
                lambda: of_tensors(
                    *(tf.constant(v, tf.int64, [len(shape)]) for v in (shape, begin, size)),
                    tf.constant(scale, tf.float64),
                )
            ),
            outcome(
                lambda: tf_vsinit.stateless_variance_scaling(
                    shape, [3, 4], begin=begin, size=size, **arguments
                )
            ),
            (shape, begin, size, arguments),
        )

    @settings(max_examples=60)
    @given(st.data())
    def test_joined_boxes_and_the_whole(self, data):
        shape = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3))
        seed = data.draw(st.tuples(INT64, INT64))
        arguments = data.draw(options())
        axis = data.draw(st.integers(0, len(shape) - 1))
        cuts = sorted(data.draw(st.sets(st.integers(1, shape[axis]), max_size=4)) | {shape[axis]})

        def joined():
            parts = []
            for first, end in zip([0, *cuts], cuts, strict=False):
                begin, size = [0] * len(shape), [-1] * len(shape)
                begin[axis], size[axis] = first, end - first
                parts.append(
                    tf_vsinit.stateless_variance_scaling(
                        shape, seed, begin=begin, size=size, **arguments
                    )
                )
            return tf.concat(parts, axis)

        self.assert_agree(
            outcome(joined),
            outcome(lambda: tf_vsinit.stateless_variance_scaling(shape, seed, **arguments)),
            (shape, seed, cuts, arguments),
        )

    @xla.needs_xla
    @settings(max_examples=40)
    @given(st.data())
    def test_compiled_and_eager(self, data):
        shape = data.draw(shapes())
        begin, size = data.draw(boxes(shape))
        seed = data.draw(st.tuples(INT64, INT64))
        arguments = dict(begin=begin, size=size, **data.draw(axes(shape)), **data.draw(options()))

        @tf.function(jit_compile=True)
        def compiled(seed):
            return tf_vsinit.stateless_variance_scaling(shape, seed, **arguments)

        self.assert_agree(
            outcome(lambda: compiled(tf.constant(seed, tf.int64))),
            outcome(lambda: tf_vsinit.stateless_variance_scaling(shape, seed, **arguments)),
            (shape, seed, arguments),
        )

    @settings(max_examples=40)
    @given(st.data())
    def test_a_batch_and_single_draws(self, data):
        shape = data.draw(st.lists(st.integers(0, 20), max_size=3))
        seeds = data.draw(st.lists(st.tuples(INT64, INT64), min_size=1, max_size=5))
        arguments = data.draw(options())

        def draw(seed):
            return tf_vsinit.stateless_variance_scaling(shape, seed, **arguments)

        self.assert_agree(
            outcome(lambda: tf.vectorized_map(draw, tf.constant(seeds, tf.int64))),
            outcome(lambda: tf.stack([draw(seed) for seed in seeds])),
            (shape, seeds, arguments),
        )


if __name__ == "__main__":
    absltest.main()
