"""The rows of the table of tested versions are sorted, and a newer run replaces an older one."""

import pathlib
import tempfile
import unittest.mock

from absl.testing import absltest

from tests.support import repository

versions = repository.import_script("tools/versions.py")

HEADING = "| TensorFlow | Python | Keras | passed |\n|---|---|---|--:|\n"
ROWS = (
    "| 2.9.1 | 3.9.2 | keras 2.9.0 | 4 |\n",
    "| 2.18.1 | 3.9.2 | keras 3.12.4 | 4 |\n",
    "| 2.18.1 | 3.10.13 | tf_keras 2.18.0 | 4 |\n",
    "| 2.18.1 | 3.10.13 | keras 3.12.4 | 4 |\n",
)


def document(rows):
    return (
        f"before\n\n{versions.TABLE_BEGIN}\n{HEADING}{''.join(rows)}{versions.TABLE_END}\nafter\n"
    )


class VersionsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        self.file = folder / "versions.md"
        self.enter_context(unittest.mock.patch.object(versions, "DOCUMENT", self.file))

    def test_rows_are_sorted_by_version(self):
        self.file.write_text(document([]))
        for row in reversed(ROWS):
            versions.note(row.strip("| \n").split(" | "))
        self.assertEqual(self.file.read_text(), document(ROWS))

    def test_a_row_of_the_same_versions_is_replaced(self):
        self.file.write_text(document(ROWS))
        versions.note(["2.18.1", "3.9.2", "keras 3.12.4", "5"])
        newer = ROWS[1].replace("| 4 |", "| 5 |")
        self.assertEqual(self.file.read_text(), document([ROWS[0], newer, *ROWS[2:]]))


if __name__ == "__main__":
    absltest.main()
