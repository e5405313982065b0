"""The box that a call draws: the full shape of a variable, and where in it the box begins and ends.

Boxes are made from `shape`, `begin` and `size`, or from TensorFlow's `partition_info`.
"""

import math
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from tf_vsinit.arguments import (
    argument_error,
    fits_int32,
    integer_vector,
    is_tensor,
    shown,
)

# TensorFlow's limit.
MAX_RANK = 254
_INT64_MAX = 2**63 - 1

Vector: TypeAlias = tuple[int, ...] | tf.Tensor


class Box(NamedTuple):
    """A part of a variable, checked.

    All three vectors have one element for each axis. Vectors that Python knows are tuples; if it
    knows all three, the box is inside the shape and has no -1. A vector known only when a graph
    runs is a tensor. All such tensors have one dtype, and the op checks them.
    """

    shape: Vector
    begin: Vector
    size: Vector

    @property
    def rank(self) -> int | None:
        """The number of axes, None if it is not known."""
        return rank_of(self.shape)

    @property
    def index_dtype(self) -> tf.DType:
        """The dtype that the op takes all three vectors in."""
        tensors = [vector for vector in self if not isinstance(vector, tuple)]
        return tensors[0].dtype if tensors else tf.int64

    def overlaps(self, other: "Box") -> bool:
        """Says whether two known boxes of one variable share an element."""
        return all(
            max(a, b) < min(a + n, b + m)
            for a, n, b, m in zip(self.begin, self.size, other.begin, other.size, strict=True)
        )


def rank_of(shape: Vector) -> int | None:
    """Returns the number of axes of a shape, None if it is not known."""
    return len(shape) if isinstance(shape, tuple) else shape.shape.num_elements()


def make_box(
    shape: Any,
    begin: Any = None,
    size: Any = None,
    names: tuple[str, str, str] = ("shape", "begin", "size"),
) -> Box:
    """Returns the box that a caller asks for.

    Args:
      shape: full shape of the variable, [rank]: integers, a `tf.TensorShape`, or an int32 or int64
        tensor.
      begin: first element of the box on each axis, like `shape`; None means the origin.
      size: extents of the box, like `shape`; -1 means to the end, None to the end on each axis.
      names: what the caller calls these three arguments.

    Raises:
      ValueError: if one of them is not a vector of integers, or the box leaves the shape.
    """
    shape = integer_vector(names[0], shape)
    if isinstance(shape, tuple):
        _check_shape(names[0], shape)
    if begin is None and size is None:
        return Box(shape, _filled_like(shape, 0), shape)
    begin = _filled_like(shape, 0) if begin is None else integer_vector(names[1], begin)
    size = _filled_like(shape, -1) if size is None else integer_vector(names[2], size)
    if isinstance(shape, tuple) and isinstance(begin, tuple) and isinstance(size, tuple):
        return _box_inside(shape, begin, size, names)
    return Box(*_to_one_dtype(shape, begin, size))


def shard_box(shape: Any, partition_info: Any) -> Box:
    """Returns the box of a shard, as `tf.compat.v1.get_variable` tells an initializer of it.

    Args:
      shape: extents of the shard, [rank]: integers that are known.
      partition_info: an object with the attributes `full_shape`, of the variable, and `var_offset`,
        the first element of the shard on each axis.

    Raises:
      ValueError: if an attribute is missing, one of the vectors is not known or negative, or the
        shard is not inside its variable.
    """
    names = ("partition_info.full_shape", "partition_info.var_offset", "shape")
    full_shape = _known_vector(names[0], _attribute(partition_info, "full_shape"))
    offset = _known_vector(names[1], _attribute(partition_info, "var_offset"))
    shape = _known_vector(names[2], shape)
    _check_shape(names[0], full_shape)
    return _box_inside(full_shape, offset, shape, names)


def _check_shape(name, shape):
    if len(shape) > MAX_RANK:
        raise argument_error(name, f"have at most {MAX_RANK} axes", list(shape))
    if shape and min(shape) < 0:
        raise argument_error(name, "not have negative elements", list(shape))
    # The op computes strides, so the product has to fit even if an axis is empty.
    if math.prod(filter(None, shape)) > _INT64_MAX:
        raise argument_error(name, "have fewer than 2^63 elements", list(shape))


def _box_inside(shape, begin, size, names):
    _check_rank(names[1], begin, shape, names[0])
    _check_rank(names[2], size, shape, names[0])
    _check_inside(shape, begin, size, names)
    if -1 in size:
        left = [extent - first for extent, first in zip(shape, begin, strict=True)]
        size = tuple(rest if n == -1 else n for rest, n in zip(left, size, strict=True))
    return Box(shape, begin, size)


def _check_rank(name, value, shape, shape_name):
    if len(value) != len(shape):
        must = f"have one element for each of the {len(shape)} axes of {shape_name}={list(shape)}"
        raise argument_error(name, must, list(value))


def _check_inside(shape, begin, size, names):
    for axis, (extent, first, count) in enumerate(zip(shape, begin, size, strict=True)):
        if not 0 <= first <= extent:
            must = f"lie between 0 and {extent} on axis {axis}, inside {names[0]}={list(shape)}"
            raise argument_error(names[1], must, list(begin))
        if not -1 <= count <= extent - first:
            must = (
                f"lie between 0 and {extent - first} on axis {axis}, inside "
                f"{names[0]}={list(shape)} from {names[1]}={list(begin)}"
            )
            raise argument_error(names[2], must, list(size))


def _filled_like(vector, value):
    if isinstance(vector, tuple):
        return (value,) * len(vector)
    return tf.fill(tf.shape(vector), tf.constant(value, vector.dtype))


def _to_one_dtype(*vectors):
    """Casts the tensors among the vectors to int32 if it holds every vector, else to int64.

    Shape inference does not see through every cast, so none is made without need.
    """
    dtype = tf.int32 if all(fits_int32(v) for v in vectors) else tf.int64
    return [tf.cast(v, dtype) if is_tensor(v) else v for v in vectors]


def _attribute(partition_info, name):
    value = getattr(partition_info, name, None)
    if value is None:
        raise ValueError(
            "Argument `partition_info` must have the attributes `full_shape` and `var_offset`; "
            f"`{name}` is missing. Received: partition_info={shown(partition_info)}"
        )
    return value


def _known_vector(name, value):
    try:
        vector = integer_vector(name, value)
    except ValueError:
        vector = None
    if not isinstance(vector, tuple) or any(element < 0 for element in vector):
        must = (
            "be a sequence of known integers that are not negative, for a shard of a partitioned "
            "variable"
        )
        raise argument_error(name, must, value)
    return vector
