"""`tf.vectorized_map` over draws: one call of an op for all members."""

from typing import Any

import tensorflow as tf

from tf_vsinit import _tensorflow_private, loading

_SEED, _ROWS = 1, 2
_ATTRIBUTES = (
    "dtype",
    "mode",
    "distribution",
    "input_axes",
    "output_axes",
    "axes_given",
    "stream",
)

_op = loading.load().vsinit_stateless_variance_scaling
_rows_op = loading.load().vsinit_stateless_variance_scaling_rows


def _draw_batch(pfor_input: Any) -> Any:
    """Draws for the seeds of all members at once, or in a loop if other inputs differ as well."""
    inputs = [pfor_input.input(i) for i in range(pfor_input.num_inputs)]
    if _stacked(inputs) != [_SEED]:
        return _tensorflow_private.in_a_loop(pfor_input)
    shape, seeds, begin, size, scale = (tensor.t for tensor in inputs)
    attributes = {name: pfor_input.get_attr(name) for name in _ATTRIBUTES}
    # In a map inside a map, the op draws a batch already, and the seeds have more axes.
    pairs = tf.reshape(seeds, [-1, 2])
    output = _op(shape, pairs, begin, size, scale, batch=True, **attributes)
    members = tf.shape(seeds, tf.int64)[:-1]
    box = tf.shape(output, tf.int64)[1:]
    return _tensorflow_private.stacked(tf.reshape(output, tf.concat([members, box], axis=0)))


def _draw_rows(pfor_input: Any) -> Any:
    """Draws the rows of all members at once, or in a loop if other inputs differ as well."""
    inputs = [pfor_input.input(i) for i in range(pfor_input.num_inputs)]
    if _stacked(inputs) != [_ROWS]:
        return _tensorflow_private.in_a_loop(pfor_input)
    shape, seed, rows, scale = (tensor.t for tensor in inputs)
    attributes = {name: pfor_input.get_attr(name) for name in _ATTRIBUTES}
    output = _rows_op(shape, seed, tf.reshape(rows, [-1]), scale, **attributes)
    extents = [tf.shape(rows, tf.int64), tf.shape(output, tf.int64)[1:]]
    return _tensorflow_private.stacked(tf.reshape(output, tf.concat(extents, axis=0)))


def _stacked(inputs):
    """Returns the numbers of the inputs that differ from member to member."""
    return [i for i, tensor in enumerate(inputs) if tensor.is_stacked]


_tensorflow_private.set_vectorization(loading.OP_TYPE, _draw_batch)
_tensorflow_private.set_vectorization(loading.ROWS_OP_TYPE, _draw_rows)
