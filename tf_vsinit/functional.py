"""The functional form of the op: values as a pure function of shape, seed and options."""

import functools
import inspect
import math
import numbers
import operator
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import ops

from tf_vsinit import loading

MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)

_DTYPES = frozenset(DTYPES)
_INT_ONLY = frozenset([int])
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1

_op = loading.load().vsinit_stateless_variance_scaling


class UnknownKeywordError(TypeError, ValueError):
    """A keyword that a function does not take: Python's TypeError, and a ValueError of ours."""

    # With a constructor of its own, it would come out of a tf.function as another class.
    __init__ = Exception.__init__


def entry_point(function):
    """Keeps autograph out of a public function, and names keywords that it does not take.

    The function's own signature stays visible to those who ask for it, as `tf.distribute` does.
    """
    signature = inspect.signature(function)
    known = frozenset(signature.parameters)

    @functools.wraps(function)
    def checked(*args, **kwargs):
        if not known.issuperset(kwargs):
            raise _unknown_keyword(signature, kwargs)
        return function(*args, **kwargs)

    wrapper = tf.autograph.experimental.do_not_convert(checked)
    wrapper.__signature__ = signature
    return wrapper


def _unknown_keyword(signature, kwargs):
    known = [name for name in signature.parameters if name != "self"]
    unknown = next(name for name in kwargs if name not in known)
    return UnknownKeywordError(
        f"Argument `{unknown}` is not known: the arguments are {', '.join(known)}. "
        f"Received: {unknown}={kwargs[unknown]!r}"
    )


@entry_point
def stateless_variance_scaling(
    shape,
    seed,
    *,
    scale=1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    dtype=tf.float32,
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
    begin=None,
    size=None,
    name: str | None = None,
) -> tf.Tensor:
    """Draws variance-scaled weights, or any box of them, as a pure function of the arguments.

    Element i (row-major in `shape`) depends only on the seed, distribution, dtype, scale, fans
    and i. It has the same bits in eager mode, in a graph and in every slice: the result with
    `begin` and `size` is exactly that box of the result without them, and costs only the box.

    With n the fan that `mode` selects, the standard deviation is sqrt(scale / n) for the two
    normal distributions (after truncation at two standard deviations, for the truncated one), and
    `uniform` lies in [-limit, limit) with limit = sqrt(3 * scale / n). For float32 and float64,
    `uniform` equals `tf.random.stateless_uniform` for the same seed and limits, bit for bit.

    Args:
      shape: the full shape, [rank]: integers, a `tf.TensorShape`, or an int32 or int64 tensor.
      seed: two integers, or an int32 or int64 tensor of shape [2], as `tf.random.stateless_*`
        take them. A Keras initializer with the int seed s uses [s, 0].
      scale: positive finite number, or a scalar tensor.
      mode: `fan_in`, `fan_out`, `fan_avg` (the arithmetic mean of both) or `fan_geo_avg` (their
        geometric mean).
      distribution: `truncated_normal` (also spelled `normal`), `untruncated_normal` or `uniform`.
      dtype: float16, bfloat16, float32 or float64.
      input_axes: axes of `shape` whose product is fan_in; needs `output_axes` as well. None for
        both means the Keras convention: the last two axes are input and output units, those
        before them the receptive field.
      output_axes: axes of `shape` whose product is fan_out.
      begin: first element of the box wanted, [rank], like `shape`. None means the origin.
      size: extent of the box, [rank], like `shape`; -1 means to the end. None means all of it.
      name: name of the op in a graph.

    Returns:
      A tensor of shape `size` and of dtype `dtype`.

    Raises:
      ValueError: if an argument known in Python is out of its range: the message names the
        argument and the value.
      tf.errors.InvalidArgumentError: the same, for values known only when the op runs; also if
        `scale` leads to values that `dtype` cannot hold.

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
        checked_box(shape, begin, size),
        seed,
        scale=scale,
        mode=mode,
        distribution=distribution,
        dtype=dtype,
        input_axes=input_axes,
        output_axes=output_axes,
        name=name,
    )


def draw(
    box, seed, *, scale, mode, distribution, dtype, input_axes, output_axes, name=None
) -> tf.Tensor:
    """Draws as `stateless_variance_scaling` does, from a box that `checked_box` returned."""
    shape, begin, size = box
    dtype = float_dtype(dtype)
    mode = _checked_choice("mode", mode, MODES)
    distribution = _checked_choice("distribution", _long_name(distribution), DISTRIBUTIONS)
    scale = _checked_scale(scale)
    seed = _checked_seed(seed)
    input_axes, output_axes = _checked_axes(input_axes, output_axes, _static_rank(shape))
    has_unit_fans = input_axes is not None and not input_axes and not output_axes
    if has_unit_fans:
        # The op reads two empty lists as the default fans. A leading axis of one element can serve
        # as input and output instead: it does not move any element.
        shape, size = _with_leading(1, shape), _with_leading(1, size)
        begin = _with_leading(0, begin)
        input_axes = output_axes = (0,)
    index_dtype = _index_dtype(shape, begin, size)
    try:
        output = _op(
            *_op_inputs(
                (shape, index_dtype),
                (seed, tf.int64),
                (begin, index_dtype),
                (size, index_dtype),
                (scale, tf.float64),
            ),
            dtype=dtype,
            mode=mode,
            distribution=distribution,
            input_axes=input_axes or (),
            output_axes=output_axes or (),
            name=name,
        )
    except tf.errors.NotFoundError as error:
        raise _with_remedy(error) from None
    return tf.squeeze(output, axis=0) if has_unit_fans else output


def float_dtype(dtype) -> tf.DType:
    """Returns `dtype` as one of the four dtypes the op draws; ValueError for any other."""
    try:
        # A reference variable's dtype is a reference type.
        result = tf.as_dtype(dtype).base_dtype
    except TypeError:
        result = None
    if result not in _DTYPES:
        raise ValueError(
            f"Argument `dtype` must be one of {', '.join(d.name for d in DTYPES)}. "
            f"Received: dtype={dtype!r}"
        )
    return result


def integer_vector(argument: str, value) -> tuple[int, ...] | tf.Tensor:
    """Returns a tuple of ints, or a tensor of shape [rank] where they are not known.

    ValueError, naming the argument, for anything else.
    """
    if isinstance(value, (tuple, list)):
        return _integers(argument, value)
    if isinstance(value, tf.TensorShape):
        if not value.is_fully_defined():
            raise ValueError(
                f"Argument `{argument}` must be fully defined. Received: {argument}={value}"
            )
        return tuple(value.as_list())
    if not _is_tensor(value):
        return _integers(argument, _not_text(argument, value))
    tensor = _integer_tensor(argument, value)
    if not tensor.shape.is_compatible_with([None]):
        raise ValueError(
            f"Argument `{argument}` must have shape [rank]. Received: {argument}={value!r}"
        )
    return tensor if tf.is_symbolic_tensor(tensor) else tuple(tensor.numpy().tolist())


def checked_box(shape, begin, size, names: tuple[str, str] = ("begin", "size")):
    """Returns shape, begin and size: tuples with no -1 left, or, if any is a tensor, as given.

    ValueError for a box outside its shape; `names` are those of the arguments for the caller.
    """
    shape = integer_vector("shape", shape)
    if isinstance(shape, tuple):
        _check_extents(shape)
    if begin is None and size is None:
        return shape, _filled_like(shape, 0), shape
    begin = _filled_like(shape, 0) if begin is None else integer_vector(names[0], begin)
    size = _filled_like(shape, -1) if size is None else integer_vector(names[1], size)
    if not (isinstance(shape, tuple) and isinstance(begin, tuple) and isinstance(size, tuple)):
        return _to_one_dtype(shape, begin, size)
    _check_rank(names[0], begin, shape)
    _check_rank(names[1], size, shape)
    _check_inside(shape, begin, size, names)
    if -1 in size:
        left = [extent - first for extent, first in zip(shape, begin, strict=True)]
        size = tuple(rest if n == -1 else n for rest, n in zip(left, size, strict=True))
    return shape, begin, size


# Below, a value known in Python is a float or a tuple of ints, and one that is not is a tensor.


def _index_dtype(*vectors):
    return next((v.dtype for v in vectors if _is_tensor(v)), tf.int64)


def _op_inputs(*values_and_dtypes):
    if not context.executing_eagerly():
        return [
            value if isinstance(value, tf.Tensor) else np.array(value, dtype.as_numpy_dtype)
            for value, dtype in values_and_dtypes
        ]
    # The number of the context, as TensorFlow's own caches of tensors use it.
    context_id = context.context()._id
    return [
        value if isinstance(value, tf.Tensor) else _host_constant(value, dtype, context_id)
        for value, dtype in values_and_dtypes
    ]


@functools.lru_cache(maxsize=4096)
def _host_constant(value, dtype, context_id):
    """Returns an eager tensor in host memory, kept: making five costs as much as the op itself.

    It is kept by value, so it cannot go stale; it is used in eager mode only, so no graph captures
    it; and for one context only, since a tensor does not outlive its context.
    """
    del context_id
    context.ensure_initialized()
    # What tf.constant does, in a fifth of its time. No device means the host: tensors of these
    # dtypes would otherwise go to a GPU, and be fetched for every draw.
    return ops.EagerTensor(value, device=None, dtype=dtype.as_datatype_enum)


def _with_remedy(error):
    """Adds to the error of a server that does not have the op what would give it the op."""
    if f"'{loading.OP_TYPE}' is neither" not in error.message:
        return error
    return tf.errors.NotFoundError(
        error.node_def,
        error.op,
        "A server has not loaded the op library of tf_vsinit: its program needs the line "
        "`import tf_vsinit` before it makes its tf.distribute.Server. TensorFlow names the server "
        f"below.\n{error.message}",
    )


def _long_name(distribution):
    if not isinstance(distribution, str):
        return distribution
    distribution = distribution.lower()
    return "truncated_normal" if distribution == "normal" else distribution


def _checked_choice(argument, value, choices):
    if value not in choices:
        raise ValueError(
            f"Argument `{argument}` must be one of {', '.join(choices)}. "
            f"Received: {argument}={value!r}"
        )
    return value


def _checked_scale(scale):
    if _is_tensor(scale):
        return tf.cast(scale, tf.float64)
    is_number = isinstance(scale, numbers.Real) or (
        isinstance(scale, np.ndarray) and scale.ndim == 0 and scale.dtype.kind in "fiu"
    )
    value = float(scale) if is_number else math.nan
    if not 0.0 < value < math.inf:
        raise ValueError(
            f"Argument `scale` must be a positive finite number. Received: scale={scale!r}"
        )
    return value


def _checked_seed(seed):
    if isinstance(seed, (tuple, list)):
        value = _integers("seed", seed)
    elif _is_tensor(seed):
        value = _integer_tensor("seed", seed)
    else:
        value = _integers("seed", _not_text("seed", seed))
    is_pair = value.shape.is_compatible_with([2]) if _is_tensor(value) else len(value) == 2
    if not is_pair:
        raise ValueError(
            f"Argument `seed` must have shape [2]. Received: seed={seed!r} "
            "(the int seed s of an initializer is [s, 0] here)"
        )
    return value


def _check_extents(shape):
    if shape and min(shape) < 0:
        raise ValueError(
            f"Argument `shape` must not have negative elements. Received: shape={list(shape)}"
        )
    # Strides have to fit as well, so an empty axis does not excuse the others.
    if math.prod(filter(None, shape)) > _INT64_MAX:
        raise ValueError(
            f"Argument `shape` must have fewer than 2^63 elements. Received: shape={list(shape)}"
        )


def _check_rank(argument, value, shape):
    if len(value) != len(shape):
        raise ValueError(
            f"Argument `{argument}` must have one element for each of the {len(shape)} axes of "
            f"shape={list(shape)}. Received: {argument}={list(value)}"
        )


def _check_inside(shape, begin, size, names):
    for axis, (extent, first, count) in enumerate(zip(shape, begin, size, strict=True)):
        if not 0 <= first <= extent:
            raise ValueError(
                f"Argument `{names[0]}` must lie between 0 and {extent} on axis {axis}, inside "
                f"shape={list(shape)}. Received: {names[0]}={list(begin)}"
            )
        if not -1 <= count <= extent - first:
            raise ValueError(
                f"Argument `{names[1]}` must lie between 0 and {extent - first} on axis {axis}, "
                f"inside shape={list(shape)} from {names[0]}={list(begin)}, or be -1 for all that "
                f"is left. Received: {names[1]}={list(size)}"
            )


def _filled_like(vector, value):
    if isinstance(vector, tuple):
        return (value,) * len(vector)
    return tf.fill(tf.shape(vector), tf.constant(value, vector.dtype))


def _with_leading(first, vector):
    if isinstance(vector, tuple):
        return (first, *vector)
    return tf.concat([tf.constant([first], vector.dtype), vector], axis=0)


def _to_one_dtype(*vectors):
    """Brings vectors to int32 if it holds them all, else the tensors among them to int64.

    Shape inference does not see through every cast, so none is made without need.
    """
    dtype = tf.int32 if all(_fits_int32(v) for v in vectors) else tf.int64
    return [tf.cast(v, dtype) if _is_tensor(v) else v for v in vectors]


def _fits_int32(vector):
    if _is_tensor(vector):
        return vector.dtype == tf.int32
    return all(_INT32_MIN <= value <= _INT32_MAX for value in vector)


def _integers(argument, value):
    """Returns a tuple of ints, or a tensor if an element is known only in the graph."""
    try:
        integers = tuple(value)
        # The quick answer to the usual case.
        if not _INT_ONLY.issuperset(map(type, integers)):
            integers = tuple(map(functools.partial(_integer, argument), integers))
            if any(map(_is_tensor, integers)):
                return _stack(argument, integers)
    except TypeError:
        raise _no_integers(argument, value) from None
    if integers and not _INT64_MIN <= min(integers) <= max(integers) <= _INT64_MAX:
        raise ValueError(
            f"Argument `{argument}` must hold 64-bit integers. Received: {argument}={value!r}"
        )
    return integers


def _integer(argument, element):
    """Returns an int, or a scalar tensor where the value is known only in the graph."""
    if not _is_tensor(element):
        return operator.index(element)
    tensor = _integer_tensor(argument, element)
    if not tensor.shape.is_compatible_with([]):
        raise ValueError(
            f"Argument `{argument}` must hold scalars only. Received one of shape {tensor.shape}: "
            f"{argument}=[..., {element!r}, ...]"
        )
    return tensor if tf.is_symbolic_tensor(tensor) else int(tensor)


def _stack(argument, elements):
    _integers(argument, [e for e in elements if not _is_tensor(e)])
    fits = all(_fits_int32(e if _is_tensor(e) else (e,)) for e in elements)
    dtype = tf.int32 if fits else tf.int64
    return tf.stack([tf.cast(e, dtype) for e in elements])


def _not_text(argument, value):
    # The elements of bytes are integers, and text may have none.
    if isinstance(value, (str, bytes, bytearray)):
        raise _no_integers(argument, value)
    return value


def _no_integers(argument, value):
    return ValueError(
        f"Argument `{argument}` must be a sequence of integers. Received: {argument}={value!r}"
    )


def _integer_tensor(argument, value):
    tensor = tf.convert_to_tensor(value)
    if tensor.dtype not in (tf.int32, tf.int64):
        raise ValueError(
            f"Argument `{argument}` must be of dtype int32 or int64. Received: {argument}={value!r}"
        )
    return tensor


def _is_tensor(value):
    # tf.is_tensor is so slow for a non-tensor that it would double the cost of a small draw, and
    # even the test below is slow.
    if isinstance(value, (tuple, list, int, float)):
        return False
    return isinstance(value, (tf.Tensor, tf.Variable)) or hasattr(value, "__tf_tensor__")


def _static_rank(shape):
    return len(shape) if isinstance(shape, tuple) else shape.shape.num_elements()


def _checked_axes(input_axes, output_axes, rank):
    if input_axes is None and output_axes is None:
        return None, None
    if input_axes is None or output_axes is None:
        raise ValueError(
            "Arguments `input_axes` and `output_axes` must be given together. "
            f"Received: input_axes={input_axes!r}, output_axes={output_axes!r}"
        )
    return _axes("input_axes", input_axes, rank), _axes("output_axes", output_axes, rank)


def _axes(argument, axes, rank):
    """Returns axes as a tuple of ints, counted from the front if the rank is known."""
    integers = _integers(argument, _not_text(argument, axes))
    if _is_tensor(integers):
        raise ValueError(
            f"Argument `{argument}` must be known when the graph is made. "
            f"Received: {argument}={axes!r}"
        )
    if rank is None:
        return integers
    if any(not -rank <= axis < rank for axis in integers):
        raise ValueError(
            f"Argument `{argument}` must hold axes between {-rank} and {rank - 1} for a shape of "
            f"rank {rank}. Received: {argument}={axes!r}"
        )
    return tuple(axis % rank for axis in integers)
