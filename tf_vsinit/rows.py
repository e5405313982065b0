"""Any rows of a variable, for embedding tables that draw a row when it is first needed."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vsinit import arguments, functional, loading
from tf_vsinit.box import make_box

_op: Callable[..., tf.Tensor] = loading.load().vsinit_stateless_variance_scaling_rows


@arguments.entry_point
def stateless_variance_scaling_rows(
    shape: Sequence[int] | tf.TensorShape | tf.Tensor,
    seed: Sequence[int] | tf.Tensor,
    rows: Sequence[int] | np.ndarray | tf.Tensor,
    *,
    scale: float | tf.Tensor = 1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    dtype: tf.DType | str = tf.float32,
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
    stream: str = "vsinit",
    name: str | None = None,
) -> tf.Tensor:
    """Draws rows of a variable, in any order, as a pure function of the arguments.

    Row i of the result has the bits of row rows[i] of
    `stateless_variance_scaling(shape, seed, ...)` with the same other arguments. Only the rows are
    computed, so the variable may be a table that no memory could hold, of up to 2^63 - 1 elements.

    Args:
      shape: the full shape of the variable, [rank], of rank one or more: integers, a
        `tf.TensorShape`, or an int32 or int64 tensor. It sets the fans. For an embedding table,
        [vocabulary size, embedding size], fan_in is the vocabulary size and fan_out the embedding
        size.
      seed: two integers, or an int32 or int64 tensor of shape [2].
      rows: coordinates along the first axis of `shape`, [n], in any order and with repeats:
        integers, or an int32 or int64 array or tensor. Each is at least 0 and below shape[0]. Under
        XLA their number must be known at compile time; their values need not be.
      scale: positive finite number, or a real scalar tensor.
      mode: `fan_in`, `fan_out`, `fan_avg` or `fan_geo_avg`.
      distribution: `truncated_normal` (also spelled `normal`), `untruncated_normal` or `uniform`.
      dtype: float16, bfloat16, float32 or float64.
      input_axes: axes of `shape` whose product is fan_in; needs `output_axes` as well. None for
        both means the Keras convention.
      output_axes: axes of `shape` whose product is fan_out.
      stream: `vsinit` or `tensorflow`.
      name: name of the op in a graph.

    Returns:
      A tensor of shape [n] + shape[1:] and of dtype `dtype`.

    Raises:
      ValueError: if an argument known in Python is out of its range: the message names the
        argument and the value.
      tf.errors.InvalidArgumentError: the same, for the values of tensors.
      tf.errors.NotFoundError: if the op runs on a server that has not loaded the op library.

    Example:

    >>> import tensorflow as tf
    >>> import tf_vsinit
    >>> options = dict(seed=[1, 2], mode="fan_out", distribution="uniform")
    >>> table = tf_vsinit.stateless_variance_scaling([1000, 16], **options)
    >>> rows = tf_vsinit.stateless_variance_scaling_rows([1000, 16], rows=[907, 3, 907], **options)
    >>> bool(tf.reduce_all(rows == tf.gather(table, [907, 3, 907])))
    True
    >>> keys = tf.strings.to_hash_bucket_fast(["a new word", "another"], 2**59 - 1)
    >>> tf_vsinit.stateless_variance_scaling_rows([2**59 - 1, 16], rows=keys, **options).shape
    TensorShape([2, 16])
    """
    box = make_box(shape)
    if box.rank == 0:
        raise arguments.argument_error("shape", "have at least one axis, that of the rows", [])
    return functional.call_op(
        _op,
        (box.shape, box.index_dtype),
        seed,
        (_checked_rows(rows, box.shape), tf.int64),
        scale=scale,
        mode=mode,
        distribution=distribution,
        dtype=dtype,
        input_axes=input_axes,
        output_axes=output_axes,
        stream=arguments.checked_stream(stream),
        name=name,
    )


def _checked_rows(rows: Any, shape: Any) -> np.ndarray | tf.Tensor:
    """Returns rows as an array, or as a tensor if they are one. The op checks its values."""
    if arguments.is_tensor(rows):
        return arguments.vector_tensor("rows", rows, "[n]")
    if not isinstance(rows, np.ndarray):
        rows = arguments.integer_vector("rows", rows)
        if not isinstance(rows, tuple):
            return rows
        rows = np.array(rows, np.int64)
    if rows.dtype not in (np.int32, np.int64) or rows.ndim != 1:
        raise arguments.argument_error("rows", "be of dtype int32 or int64 and of shape [n]", rows)
    if isinstance(shape, tuple):
        _check_inside(rows, shape[0])
    return rows


def _check_inside(rows, extent):
    outside = np.flatnonzero((rows < 0) | (rows >= extent))
    if outside.size:
        i = outside[0]
        raise ValueError(
            f"Argument `rows` must be at least 0 and below shape[0] = {extent}. "
            f"Received: rows[{i}]={rows[i]}"
        )
