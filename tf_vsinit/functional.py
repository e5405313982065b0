"""The functional form of the op: values as a pure function of shape, seed and options."""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vsinit import _tensorflow_private, arguments, loading
from tf_vsinit.box import Box, Vector, make_box, rank_of

_op: Callable[..., tf.Tensor] = loading.load().vsinit_stateless_variance_scaling
_assign_op: Callable[..., tf.Operation | None] = loading.load().vsinit_assign_variance_scaling


@arguments.entry_point
def stateless_variance_scaling(
    shape: Sequence[int] | tf.TensorShape | tf.Tensor,
    seed: Sequence[int] | tf.Tensor,
    *,
    scale: float | tf.Tensor = 1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    dtype: tf.DType | str = tf.float32,
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
    begin: Sequence[int] | tf.Tensor | None = None,
    size: Sequence[int] | tf.Tensor | None = None,
    stream: str = "vsinit",
    name: str | None = None,
) -> tf.Tensor:
    """Draws variance-scaled weights, or a box of them, as a pure function of the arguments.

    Element i (its row-major index in `shape`) depends only on the stream, seed, distribution,
    dtype, scale, fans and i. It has the same bits in eager mode, in a graph and in every box: the
    result with `begin` and `size` is exactly that box of the result without them, and costs only
    the box.

    With n the fan that `mode` selects, the standard deviation is sqrt(scale / n) for the two
    normal distributions (after truncation at two standard deviations, for the truncated one), and
    `uniform` lies in [-limit, limit) with limit = sqrt(3 * scale / n), which is rounded to float32
    unless the dtype is float64. For float32 and float64, `uniform` equals
    `tf.random.stateless_uniform` for the same seed and limits, bit for bit.

    Args:
      shape: the full shape, [rank]: integers, a `tf.TensorShape`, or an int32 or int64 tensor.
      seed: two integers, or an int32 or int64 tensor of shape [2], as `tf.random.stateless_*`
        take them: uint64 values in an array or tensor wrap to the int64 of the same bits. A Keras
        initializer with the int seed s uses [s, 0].
      scale: positive finite number, or a real scalar tensor.
      mode: `fan_in`, `fan_out`, `fan_avg` (the arithmetic mean of both) or `fan_geo_avg` (their
        geometric mean).
      distribution: `truncated_normal` (also spelled `normal`), `untruncated_normal` or `uniform`.
      dtype: float16, bfloat16, float32 or float64.
      input_axes: axes of `shape` whose product is fan_in; needs `output_axes` as well. None for
        both means the Keras convention: the last two axes are input and output units, and those
        before them are the receptive field.
      output_axes: axes of `shape` whose product is fan_out.
      begin: first element of the box on each axis, [rank], like `shape`. None means the origin.
      size: extents of the box, [rank], like `shape`; -1 means to the end. None means to the end on
        every axis.
      stream: `vsinit`, or `tensorflow` for the values that stock TensorFlow gives in eager mode on
        a CPU for the same seed: `tf.random.stateless_truncated_normal`, `stateless_normal` and
        `stateless_uniform`, bit for bit in every dtype.
      name: name of the op in a graph.

    Returns:
      A tensor of shape `size` and of dtype `dtype`.

    Raises:
      ValueError: if an argument known in Python is out of its range: the message names the
        argument and the value.
      tf.errors.InvalidArgumentError: the same, for values known only when the op runs; also if
        `scale` leads to values that `dtype` cannot hold.
      tf.errors.NotFoundError: if the op runs on a server that has not loaded the op library.

    References:
      - Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
        networks, AISTATS 2010.
      - He et al., Delving deep into rectifiers, ICCV 2015.

    Example:

    >>> import tensorflow as tf
    >>> import tf_vsinit
    >>> kernel = tf_vsinit.stateless_variance_scaling([300, 200], seed=[1, 2], scale=2.0)
    >>> rows = tf_vsinit.stateless_variance_scaling(
    ...     [300, 200], seed=[1, 2], scale=2.0, begin=[100, 0], size=[50, -1])
    >>> bool(tf.reduce_all(rows == kernel[100:150]))
    True
    """
    return draw(
        make_box(shape, begin, size),
        seed,
        scale=scale,
        mode=mode,
        distribution=distribution,
        dtype=dtype,
        input_axes=input_axes,
        output_axes=output_axes,
        stream=arguments.checked_stream(stream),
        name=name,
    )


def draw(
    box: Box,
    seed: Any,
    *,
    scale: Any,
    mode: Any,
    distribution: Any,
    dtype: Any,
    input_axes: Any = None,
    output_axes: Any = None,
    stream: str = "vsinit",
    name: str | None = None,
    into: tf.Tensor | None = None,
) -> Any:
    """Draws a box; the other arguments are those of `stateless_variance_scaling`, unchecked.

    Only `stream` is checked already, and can also be `keras_3`: the op's documentation says how
    that differs from `tensorflow`.

    Returns the values as a tensor. With `into`, the handle of a variable on a CPU, it writes them
    to the variable instead, and returns the operation in a graph and None in eager mode.
    """
    index_dtype = box.index_dtype
    return call_op(
        _op if into is None else functools.partial(_assign_op, resource=into),
        (box.shape, index_dtype),
        seed,
        (box.begin, index_dtype),
        (box.size, index_dtype),
        scale=scale,
        mode=mode,
        distribution=distribution,
        dtype=dtype,
        input_axes=input_axes,
        output_axes=output_axes,
        stream=stream,
        name=name,
    )


def call_op(
    op: Callable[..., tf.Tensor],
    shape: tuple[Vector, tf.DType],
    seed: Any,
    *where: tuple[Any, tf.DType],
    scale: Any,
    mode: Any,
    distribution: Any,
    dtype: Any,
    input_axes: Any,
    output_axes: Any,
    stream: str,
    name: str | None,
) -> tf.Tensor:
    """Calls one of the ops.

    `shape` and `where`, the inputs between seed and scale, are checked values with their dtypes.
    The other arguments are those of `draw`.
    """
    dtype = arguments.checked_dtype(dtype)
    mode = arguments.checked_mode(mode)
    distribution = arguments.checked_distribution(distribution)
    scale = arguments.checked_scale(scale)
    seed = arguments.checked_seed(seed)
    input_axes, output_axes = arguments.checked_axes(input_axes, output_axes, rank_of(shape[0]))
    try:
        return op(
            *_op_inputs(shape, (seed, tf.int64), *where, (scale, tf.float64)),
            dtype=dtype,
            mode=mode,
            distribution=distribution,
            input_axes=input_axes or (),
            output_axes=output_axes or (),
            axes_given=input_axes is not None,
            stream=stream,
            name=name,
        )
    except tf.errors.NotFoundError as error:
        raise _with_remedy(error) from None


def _op_inputs(*values_and_dtypes):
    make = _tensorflow_private.host_tensors() if tf.executing_eagerly() else _array
    return [
        value if isinstance(value, (tf.Tensor, np.ndarray)) else make(value, dtype)
        for value, dtype in values_and_dtypes
    ]


def _array(value, dtype):
    return np.array(value, dtype.as_numpy_dtype)


def _with_remedy(error):
    """Adds to the error of a server that does not have the op what would give it the op."""
    if not re.search(r"'Vsinit\w+' is neither", error.message):
        return error
    return tf.errors.NotFoundError(
        error.node_def,
        error.op,
        "A server has not loaded the op library of tf_vsinit: its program needs the line "
        "`import tf_vsinit` before it makes its tf.distribute.Server. TensorFlow names the server "
        f"below.\n{error.message}",
    )
