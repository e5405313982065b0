"""docs/distributed.md: its code works with tf_keras, and its picture is true."""

import numpy as np
from absl.testing import absltest

import tf_vsinit
from tests.support import processes, repository

DOCUMENT = "docs/distributed.md"
SCRIPT = "tools/draw_partitions.py"


class LayoutTest(absltest.TestCase):
    def test_the_program_with_dtensor_prints_the_same_with_tf_keras(self):
        section = repository.section(DOCUMENT, "Layouts: DTensor and keras.distribution")
        program = repository.python_blocks(section)[0]
        self.assertEqual(processes.output_of("-c", program, TF_USE_LEGACY_KERAS="1"), "True\n")


class PictureTest(absltest.TestCase):
    def test_the_script_draws_it_again(self):
        processes.output_of(repository.ROOT / SCRIPT, "--check")

    def test_it_shows_the_indices_that_the_op_reads(self):
        script = repository.import_script(SCRIPT)
        whole = np.ravel(tf_vsinit.HeNormal(seed=1)(script.SHAPE))
        for shards in script.CUTS.values():
            for offset, shape in shards:
                shard = tf_vsinit.HeNormal(seed=1)(
                    script.SHAPE, partition_offset=offset, partition_shape=shape
                )
                np.testing.assert_array_equal(whole[script.indices_read(offset, shape)], shard)


if __name__ == "__main__":
    absltest.main()
