"""The code of docs/embeddings.md runs and does what the text says."""

from absl.testing import absltest

from tests.support import processes, repository

CHECKS = """
whole = tf_vsinit.stateless_variance_scaling([1000, 64], **OPTIONS)
print(vectors.shape, new.shape)
print(bool(tf.reduce_all(found == tf.gather(whole, [998, 3]))))
"""


class DocumentTest(absltest.TestCase):
    def test_its_code_runs_and_mod_shards_hold_the_rows_of_the_whole(self):
        blocks = repository.python_blocks((repository.ROOT / "docs" / "embeddings.md").read_text())
        printed = processes.output_of("-c", "".join(blocks) + CHECKS)
        self.assertEqual(printed, "(3, 64) (2, 64)\nTrue\n")


if __name__ == "__main__":
    absltest.main()
