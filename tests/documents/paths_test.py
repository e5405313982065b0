"""The documents name only tests that exist."""

import re

from absl.testing import absltest, parameterized

from tests.support.repository import ROOT

DOCUMENTS = [p.relative_to(ROOT) for p in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])]


class PathsTest(parameterized.TestCase):
    def test_there_are_documents(self):
        self.assertGreaterEqual(len(DOCUMENTS), 6)

    @parameterized.parameters(*map(str, DOCUMENTS))
    def test_named_tests_exist(self, document):
        for path in re.findall(r"\btests/[\w/]*\w(?:\.\w+)?", (ROOT / document).read_text()):
            self.assertTrue((ROOT / path).exists(), path)


if __name__ == "__main__":
    absltest.main()
