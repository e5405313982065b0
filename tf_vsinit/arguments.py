"""Checking what callers pass: every error names the argument, what it must be and what it is.

A checked number or vector is a float or a tuple of ints if Python knows it, and a tensor if it is
known only when a graph runs.
"""

import functools
import inspect
import math
import numbers
import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
STREAMS = ("vsinit", "tensorflow")
DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)

_DTYPES = frozenset(DTYPES)
_INT_ONLY = frozenset([int])
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1
# The most characters of a value in an error message.
_SHOWN_CHARACTERS = 600


_Function = TypeVar("_Function", bound=Callable)


class UnknownKeywordError(TypeError, ValueError):
    """An unknown keyword: a TypeError, as in Python, and a ValueError, as for other arguments."""

    # tf.function changes the class of an exception that has its own constructor.
    __init__ = Exception.__init__


def entry_point(function: _Function) -> _Function:
    """Keeps autograph out of a public function, and makes unknown keywords a named error.

    `inspect.signature` still shows the function's own signature, which `tf.distribute` reads.
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


def argument_error(argument: str, must: str, value: Any) -> ValueError:
    """Returns the ValueError for an argument whose value is not what it `must` be."""
    return ValueError(f"Argument `{argument}` must {must}. Received: {argument}={shown(value)}")


def shown(value: Any) -> str:
    """Returns the text of a value for an error message, without the middle if it is long."""
    try:
        text = repr(value)
    except ValueError:
        # Python refuses to write integers of more than 4300 digits.
        text = f"<{type(value).__name__} too long to show>"
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    half = _SHOWN_CHARACTERS // 2
    return f"{text[:half]} ... {text[-half:]}"


def is_tensor(value: Any) -> bool:
    """Says whether a value is a tensor, a variable or another object that converts to a tensor."""
    # tf.is_tensor is so slow for a non-tensor that it would double the cost of a small draw, and
    # even the test below is slow.
    if isinstance(value, (tuple, list, int, float)):
        return False
    return isinstance(value, (tf.Tensor, tf.Variable)) or hasattr(value, "__tf_tensor__")


def checked_dtype(dtype: Any) -> tf.DType:
    """Returns `dtype` as one of the four dtypes that the op draws."""
    try:
        # A reference variable's dtype is a reference type.
        result = tf.as_dtype(dtype).base_dtype
    except TypeError:
        result = None
    if result not in _DTYPES:
        raise argument_error("dtype", f"be one of {', '.join(d.name for d in DTYPES)}", dtype)
    return result


def checked_mode(mode: Any) -> str:
    """Returns `mode`, one of `MODES`."""
    return _checked_choice("mode", mode, MODES)


def checked_distribution(distribution: Any) -> str:
    """Returns `distribution`, one of `DISTRIBUTIONS` or `normal`, in its long spelling."""
    if isinstance(distribution, str):
        distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
    return _checked_choice("distribution", distribution, DISTRIBUTIONS)


def checked_stream(stream: Any) -> str:
    """Returns `stream`, one of `STREAMS`."""
    return _checked_choice("stream", stream, STREAMS)


def checked_scale(scale: Any) -> float | tf.Tensor:
    """Returns `scale` as a float, or as a float64 tensor if it is a tensor."""
    if is_tensor(scale):
        return _scale_tensor(scale)
    # Python's own classes first: the test for an abstract class is slow.
    is_number = isinstance(scale, (float, int, numbers.Real)) or (
        isinstance(scale, np.ndarray) and scale.ndim == 0 and scale.dtype.kind in "fiu"
    )
    try:
        value = float(scale) if is_number else math.nan
    except OverflowError:
        value = math.inf
    if not 0.0 < value < math.inf:
        raise argument_error("scale", "be a positive finite number", scale)
    return value


def checked_seed(seed: Any) -> tuple[int, ...] | tf.Tensor:
    """Returns `seed` as two ints, or as an int32 or int64 tensor of shape [2].

    As in `tf.random.stateless_*`, uint64 arrays and tensors wrap to the int64 of the same bits.
    """
    if isinstance(seed, (tuple, list)):
        are_ints = _INT_ONLY.issuperset(map(type, seed))
        value = _integers("seed", seed if are_ints else list(map(_as_signed, seed)))
    else:
        value = integer_vector("seed", _as_signed(seed))
    is_pair = value.shape.is_compatible_with([2]) if is_tensor(value) else len(value) == 2
    if not is_pair:
        raise ValueError(
            f"Argument `seed` must have shape [2]. Received: seed={shown(seed)} "
            "(the int seed s of an initializer is [s, 0] here)"
        )
    return value


def checked_int_seed(seed: Any) -> int:
    """Returns the integer seed of an initializer or a scope; ValueError if it has not 64 bits."""
    try:
        if isinstance(seed, (bool, np.bool_)):
            raise TypeError
        return checked_seed([operator.index(seed), 0])[0]
    except (TypeError, ValueError):
        raise argument_error("seed", "be an integer of 64 bits, or None", seed) from None


def checked_axes(
    input_axes: Any, output_axes: Any, rank: int | None
) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Returns both axes as ints, counted from the front if the rank is known, or None for both."""
    if input_axes is None and output_axes is None:
        return None, None
    if input_axes is None or output_axes is None:
        raise ValueError(
            "Arguments `input_axes` and `output_axes` must be given together. "
            f"Received: input_axes={shown(input_axes)}, output_axes={shown(output_axes)}"
        )
    return _axes("input_axes", input_axes, rank), _axes("output_axes", output_axes, rank)


def integer_vector(argument: str, value: Any) -> tuple[int, ...] | tf.Tensor:
    """Returns a tuple of ints, or a tensor of shape [rank] if a graph has yet to compute it."""
    if isinstance(value, (tuple, list)):
        return _integers(argument, value)
    if isinstance(value, tf.TensorShape):
        if not value.is_fully_defined():
            raise argument_error(argument, "be fully defined", value)
        return tuple(value.as_list())
    if not is_tensor(value):
        return _integers(argument, _not_text(argument, value))
    tensor = vector_tensor(argument, value)
    return tensor if tf.is_symbolic_tensor(tensor) else tuple(tensor.numpy().tolist())


def vector_tensor(argument: str, value: Any, shape: str = "[rank]") -> tf.Tensor:
    """Returns a tensor of integers along one axis, whose `shape` is for the error message."""
    tensor = _integer_tensor(argument, value)
    if not tensor.shape.is_compatible_with([None]):
        raise argument_error(argument, f"have shape {shape}", value)
    return tensor


def fits_int32(vector: tuple[int, ...] | tf.Tensor) -> bool:
    """Says whether a checked vector is surely one of int32."""
    if not isinstance(vector, tuple):
        return vector.dtype == tf.int32
    return all(_INT32_MIN <= value <= _INT32_MAX for value in vector)


def constructor_call(initializer: Any) -> str:
    """Returns the call that makes an equal initializer, without the arguments that are None."""
    config = initializer.get_config()
    given = [
        f"{name}={getattr(initializer, name)!r}"
        for name in inspect.signature(type(initializer)).parameters
        if config.get(name) is not None
    ]
    return f"{type(initializer).__name__}({', '.join(given)})"


def _unknown_keyword(signature, kwargs):
    known = [name for name in signature.parameters if name != "self"]
    unknown = next(name for name in kwargs if name not in known)
    return UnknownKeywordError(
        f"Argument `{unknown}` is not known: the arguments are {', '.join(known)}. "
        f"Received: {unknown}={shown(kwargs[unknown])}"
    )


def _checked_choice(argument, value, choices):
    # `in` would compare the elements of an array or a tensor.
    if not isinstance(value, str) or value not in choices:
        raise argument_error(argument, f"be one of {', '.join(choices)}", value)
    return value


def _scale_tensor(scale):
    tensor = tf.convert_to_tensor(scale)
    # A cast would drop the imaginary part of a complex number, and make numbers of bools.
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer):
        raise argument_error("scale", "be a real number", scale)
    return tf.cast(tensor, tf.float64)


def _as_signed(value):
    if isinstance(value, np.ndarray):
        return value.astype(np.int64) if value.dtype == np.uint64 else value
    if is_tensor(value) and getattr(value, "dtype", None) == tf.uint64:
        return tf.cast(value, tf.int64)
    return value


def _axes(argument, axes, rank):
    integers = _integers(argument, _not_text(argument, axes))
    if is_tensor(integers):
        raise argument_error(argument, "be known when the graph is made", axes)
    if rank is None:
        return integers
    if any(not -rank <= axis < rank for axis in integers):
        must = f"hold axes between {-rank} and {rank - 1} for a shape of rank {rank}"
        raise argument_error(argument, must, axes)
    return tuple(axis % rank for axis in integers)


def _integers(argument, value):
    """Returns a tuple of ints, or a tensor if a graph has yet to compute an element."""
    try:
        integers = tuple(value)
        # The quick answer to the usual case.
        if not _INT_ONLY.issuperset(map(type, integers)):
            integers = tuple(map(functools.partial(_integer_or_tensor, argument), integers))
            if any(map(is_tensor, integers)):
                return _stack(argument, integers)
    except TypeError:
        raise _no_integers(argument, value) from None
    if integers and not _INT64_MIN <= min(integers) <= max(integers) <= _INT64_MAX:
        raise argument_error(argument, "hold 64-bit integers", value)
    return integers


def _integer_or_tensor(argument, element):
    if not is_tensor(element):
        # Older releases of NumPy take its bools for integers.
        if isinstance(element, (bool, np.bool_)):
            raise TypeError("a bool is not an integer")
        return operator.index(element)
    tensor = _integer_tensor(argument, element)
    if not tensor.shape.is_compatible_with([]):
        raise ValueError(
            f"Argument `{argument}` must hold scalars only. Received one of shape {tensor.shape}: "
            f"{argument}=[..., {shown(element)}, ...]"
        )
    return tensor if tf.is_symbolic_tensor(tensor) else int(tensor)


def _stack(argument, elements):
    _integers(argument, [e for e in elements if not is_tensor(e)])
    fits = all(fits_int32(e if is_tensor(e) else (e,)) for e in elements)
    dtype = tf.int32 if fits else tf.int64
    return tf.stack([tf.cast(e, dtype) for e in elements])


def _not_text(argument, value):
    # The elements of bytes are integers, and text may have none.
    if isinstance(value, (str, bytes, bytearray)):
        raise _no_integers(argument, value)
    return value


def _no_integers(argument, value):
    return argument_error(argument, "be a sequence of integers", value)


def _integer_tensor(argument, value):
    tensor = tf.convert_to_tensor(value)
    if tensor.dtype not in (tf.int32, tf.int64):
        raise argument_error(argument, "be of dtype int32 or int64", value)
    return tensor
