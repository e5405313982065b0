"""What the documents point to exists: files, headings, tests, and targets of make."""

import re

from absl.testing import absltest, parameterized

from tests.support import repository
from tests.support.repository import ROOT

DOCUMENTS = repository.documents()
# Without blocks of code and code within a line.
CODE = re.compile(r"^```.*?^```|^    .*?$|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Returns the anchors that GitHub gives to the headings of a document."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ +(.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-").lower() for heading in headings}


class LinksTest(parameterized.TestCase):
    @parameterized.parameters(*DOCUMENTS)
    def test_links_lead_to_a_file_and_a_heading(self, document):
        path = ROOT / document
        for link in re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", path.read_text())):
            if re.match(r"\w+:", link):
                continue
            file, _, anchor = link.partition("#")
            target = path.parent / file if file else path
            self.assertTrue(target.exists(), link)
            if anchor:
                self.assertIn(anchor, anchors(target.read_text()), link)

    @parameterized.parameters(*DOCUMENTS)
    def test_named_files_exist(self, document):
        named = r"(?<![\w/.*-])(?:docs|examples|tests|tools)/[\w/.-]*\w"
        for path in re.findall(named, (ROOT / document).read_text()):
            self.assertTrue((ROOT / path).exists(), path)

    @parameterized.parameters(*DOCUMENTS)
    def test_named_targets_of_make_exist(self, document):
        targets = re.findall(r"^[\w -]+(?=:)", (ROOT / "Makefile").read_text(), re.MULTILINE)
        targets = " ".join(targets).split()
        text = (ROOT / document).read_text()
        for target in re.findall(r"(?:^ {4}|`)(?:\w+=\S+ )?make ([a-z][\w-]*)", text, re.MULTILINE):
            self.assertIn(target, targets)

    def test_the_index_has_every_document(self):
        index = (ROOT / "docs" / "index.md").read_text()
        for path in ROOT.glob("docs/*.md"):
            if path.name != "index.md":
                self.assertIn(f"]({path.name})", index)


if __name__ == "__main__":
    absltest.main()
