"""The examples of docs/compat_v1.md print what it shows."""

import doctest

from absl.testing import absltest

from tests.support import repository


class DocumentTest(absltest.TestCase):
    def test_examples_print_what_the_document_shows(self):
        path = repository.ROOT / "docs" / "compat_v1.md"
        result = doctest.testfile(str(path), module_relative=False)
        self.assertGreater(result.attempted, 5)
        self.assertEqual(result.failed, 0)


if __name__ == "__main__":
    absltest.main()
