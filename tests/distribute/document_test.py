"""docs/distributed.md: its examples of partitions give what they show, and its picture is true."""

import doctest
import importlib
import pathlib
import sys

import numpy as np
from absl.testing import absltest

import tf_vsinit
from tests.support import processes

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "draw_partitions.py"


class DocumentTest(absltest.TestCase):
    def test_examples(self):
        path = ROOT / "docs" / "distributed.md"
        result = doctest.testfile(str(path), module_relative=False)
        self.assertGreater(result.attempted, 5)
        self.assertEqual(result.failed, 0)


class PictureTest(absltest.TestCase):
    def test_the_script_draws_it_again(self):
        processes.output_of(SCRIPT, "--check")

    def test_positions_are_those_that_the_op_reads(self):
        sys.path.append(str(SCRIPT.parent))
        self.addCleanup(sys.path.remove, str(SCRIPT.parent))
        script = importlib.import_module("draw_partitions")
        whole = np.ravel(tf_vsinit.HeNormal(seed=1)(script.SHAPE))
        for shards in script.CUTS.values():
            for offset, shape in shards:
                shard = tf_vsinit.HeNormal(seed=1)(
                    script.SHAPE, partition_offset=offset, partition_shape=shape
                )
                positions = script.indices_read(offset, shape)
                np.testing.assert_array_equal(whole[positions], shard)


if __name__ == "__main__":
    absltest.main()
