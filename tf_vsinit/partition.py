"""Where a shard lies in its variable: TensorFlow's `partition_info`, checked."""

import operator
from typing import NamedTuple


class Partition(NamedTuple):
    """A box in a variable: the variable's shape, the box's first element and its extent."""

    full_shape: tuple[int, ...]
    begin: tuple[int, ...]
    size: tuple[int, ...]

    def overlaps(self, other: "Partition") -> bool:
        """Says whether two boxes of one variable share an element."""
        return all(
            max(a, b) < min(a + n, b + m)
            for a, n, b, m in zip(self.begin, self.size, other.begin, other.size, strict=True)
        )


def checked_partition(shape, partition_info) -> Partition:
    """Returns the partition that an initializer is asked for.

    Args:
      shape: shape of the shard, [rank], known integers.
      partition_info: an object with `full_shape` and `var_offset`, as
        `tf.compat.v1.get_variable` passes it.

    Raises:
      ValueError: if one of the three is no sequence of integers, if their ranks differ, or if the
        shard is not inside its variable. The message names what is wrong, and its value.
    """
    shape = _extents("shape", shape)
    full_shape = _extents("partition_info.full_shape", _attribute(partition_info, "full_shape"))
    offset = _extents("partition_info.var_offset", _attribute(partition_info, "var_offset"))
    _check_rank("shape", shape, full_shape)
    _check_rank("partition_info.var_offset", offset, full_shape)
    for axis, (extent, first, count) in enumerate(zip(full_shape, offset, shape, strict=True)):
        if first + count > extent:
            raise ValueError(
                "Argument `partition_info` must place the shard inside its variable, but on axis "
                f"{axis} it ends at {first + count}, after {extent}. Received: "
                f"shape={list(shape)}, partition_info.var_offset={list(offset)}, "
                f"partition_info.full_shape={list(full_shape)}"
            )
    return Partition(full_shape, offset, shape)


def _attribute(partition_info, name):
    value = getattr(partition_info, name, None)
    if value is None:
        raise ValueError(
            "Argument `partition_info` must have the attributes `full_shape` and `var_offset`; "
            f"`{name}` is missing. Received: partition_info={partition_info!r}"
        )
    return value


def _extents(name, value):
    try:
        extents = tuple(operator.index(extent) for extent in value)
    except (TypeError, ValueError):
        # TensorShape and symbolic tensors raise either when an extent is not known.
        extents = None
    if extents is None or any(extent < 0 for extent in extents):
        raise ValueError(
            f"Argument `{name}` must be a sequence of known integers that are not negative, for "
            f"one shard of a partitioned variable. Received: {name}={value!r}"
        )
    return extents


def _check_rank(name, value, full_shape):
    if len(value) != len(full_shape):
        raise ValueError(
            f"Argument `{name}` must have one element for each of the {len(full_shape)} axes of "
            f"partition_info.full_shape={list(full_shape)}. Received: {name}={list(value)}"
        )
