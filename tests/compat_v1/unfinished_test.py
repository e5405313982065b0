"""Partitioned variables that never get all their shards do not pile up."""

import collections

import tensorflow as tf
from absl.testing import absltest

from tf_vsinit.compat import v1
from tf_vsinit.compat.v1 import seeds

PartitionInfo = collections.namedtuple("PartitionInfo", "full_shape var_offset")


def draw_row(initializer, row):
    """Draws a row of a variable of three rows."""
    return initializer([1, 2], partition_info=PartitionInfo([3, 2], [row, 0]))


class UnfinishedVariablesTest(absltest.TestCase):
    def test_only_the_newest_are_kept(self):
        initializers = [v1.HeNormal() for _ in range(2 * seeds._MAX_UNFINISHED)]
        for initializer in initializers:
            draw_row(initializer, 0)
        kept = seeds._unfinished_variables[tf.compat.v1.get_default_graph()]
        self.assertLen(kept, seeds._MAX_UNFINISHED)
        oldest, newest = initializers[0], initializers[-1]
        for initializer in (oldest, newest):
            draw_row(initializer, 1)
        self.assertLen(kept, seeds._MAX_UNFINISHED)
        # The oldest was forgotten, so its second row begins a variable.
        rows = {v.initializer(): len(v.shards) for v in kept}
        self.assertEqual(rows[oldest], 1)
        self.assertEqual(rows[newest], 2)


if __name__ == "__main__":
    absltest.main()
