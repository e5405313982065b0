"""The Python of every document runs and prints what the document shows.

A block with `>>>` is an example for doctest. Any other block that begins with an import is a
program, which runs in a process of its own; blocks that begin otherwise continue the program before
them. All programs of a document run in one folder, in their order. `print(...)  # text` shows what
the line prints.
"""

import doctest
import pathlib
import re
import tempfile

from absl.testing import absltest, parameterized

from tests.support import processes, repository

DOCUMENTS = repository.documents()


def programs(text: str) -> list[str]:
    """Returns the programs in a document, each with the blocks that continue it."""
    found: list[str] = []
    for block in repository.python_blocks(text):
        if ">>> " in block:
            continue
        if re.match(r"(import|from) ", block):
            found.append(block)
        else:
            found[-1] += "\n" + block
    return found


def shown(program: str) -> list[str]:
    """Returns what the comments after calls of print say that they print."""
    return re.findall(r"^ *print\(.*\)  # (.*)$", program, re.MULTILINE)


class BlocksTest(parameterized.TestCase):
    @parameterized.parameters(*DOCUMENTS)
    def test_python_prints_what_the_document_shows(self, document):
        text = (repository.ROOT / document).read_text()
        folder = self.enter_context(tempfile.TemporaryDirectory())
        path = pathlib.Path(folder, "document.md")
        path.write_text(text)
        if doctest.DocTestParser().get_examples(text):
            processes.output_of("-m", "doctest", "-o", "ELLIPSIS", path, cwd=folder)
        for program in programs(text):
            printed = processes.output_of("-c", program, cwd=folder).splitlines()
            self.assertEqual([line for line in printed if line in shown(program)], shown(program))

    @parameterized.parameters(*DOCUMENTS)
    def test_a_block_that_looks_like_python_says_so(self, document):
        for language, block in repository.blocks((repository.ROOT / document).read_text()):
            # A server never returns. distributed_test.py starts the servers.
            if language != "python" and not block.endswith(".join()\n"):
                self.assertNotRegex(block, r"(?m)^(import|from \S+ import|>>>) ")

    def test_most_documents_have_code(self):
        texts = [(repository.ROOT / document).read_text() for document in DOCUMENTS]
        self.assertGreater(sum(len(repository.python_blocks(text)) > 0 for text in texts), 6)


if __name__ == "__main__":
    absltest.main()
