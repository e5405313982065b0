"""Partitions of a variable of tf.compat.v1, and an initializer that draws more than once."""

import collections

from tf_vsinit.compat import v1

SHAPE = (12, 10, 7)

PartitionInfo = collections.namedtuple("PartitionInfo", "full_shape var_offset")


def kept_objects():
    """Returns an initializer that draws three times, one object being used twice."""
    first, second = v1.GlorotUniform(), v1.he_normal()

    def initializer(shape, dtype=None, partition_info=None):
        return (
            first(shape, dtype, partition_info)
            - 2 * second(shape, dtype, partition_info)
            + 4 * first(shape, dtype, partition_info)
        )

    return initializer
