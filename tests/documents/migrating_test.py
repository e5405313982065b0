"""The code of docs/migrating.md runs and does what the text says."""

from absl.testing import absltest

from tests.support import processes, repository


class DocumentTest(absltest.TestCase):
    def test_the_swapped_model_has_the_stock_weights(self):
        document = (repository.ROOT / "docs" / "migrating.md").read_text()
        (program,) = repository.python_blocks(document)
        self.assertEqual(processes.output_of("-c", program).strip(), "True")


if __name__ == "__main__":
    absltest.main()
