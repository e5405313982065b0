"""docs/distributed.md: its code prints what it shows, and its picture is true."""

import doctest

import numpy as np
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes, repository

DOCUMENT = "docs/distributed.md"
SCRIPT = "tools/draw_partitions.py"


class ExamplesTest(parameterized.TestCase):
    def test_examples_print_what_the_document_shows(self):
        result = doctest.testfile(str(repository.ROOT / DOCUMENT), module_relative=False)
        self.assertGreater(result.attempted, 5)
        self.assertEqual(result.failed, 0)

    @parameterized.named_parameters(
        ("dtensor_with_keras_3", 0, "0"),
        ("dtensor_with_tf_keras", 0, "1"),
        ("keras_distribution", 1, "0"),
    )
    def test_programs_with_layouts_print_their_last_comment(self, number, legacy):
        section = repository.section(DOCUMENT, "Layouts: DTensor and keras.distribution")
        program = repository.python_blocks(section)[number]
        output = processes.output_of("-c", program, TF_USE_LEGACY_KERAS=legacy)
        self.assertEndsWith(program, f"  # {output}")


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
