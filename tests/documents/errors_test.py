"""docs/troubleshooting.md quotes messages that exist, and leaves out none of the package."""

import ast
import pathlib
import re

from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import repository
from tf_vsinit import loading

DOCUMENT = (repository.ROOT / "docs" / "troubleshooting.md").read_text()
# Under these headings are messages of others, and of a library that not every build makes.
FOREIGN = ("GPUs", "Messages of TensorFlow and Keras")
PACKAGE = pathlib.Path(tf_vsinit.__file__).parent
# `--help` describes the commands.
TREES = [ast.parse(p.read_text()) for p in PACKAGE.rglob("*.py") if p.parent.name != "cli"]
# What an argument must be is a text of its own in the sources.
ARGUMENT = re.compile(r"^Arguments? .*? must ")


def headings() -> list[str]:
    """Returns the headings that quote tf_vsinit."""
    sections = re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)
    ours = [section for section in sections if not section.startswith(FOREIGN)]
    return re.findall(r"^### (.*)$", "\n".join(ours), re.MULTILINE)


def literal(node: ast.AST) -> str:
    """Returns a text of the sources with "..." for its values; nothing for another expression."""
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(part) or "..." for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def messages() -> list[str]:
    """Returns the messages of the package's errors, and what it says that arguments must be."""
    found = []
    for node in (node for tree in TREES for node in ast.walk(tree)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "must":
            found.append(literal(node.value))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("argument_error"):
            found.append(literal(node.args[1]))
        elif isinstance(node, ast.Call) and re.fullmatch(r"\w+Error", ast.unparse(node.func)):
            found += map(literal, node.args)
    # The package catches this one itself.
    return sorted(set(found) - {"", "a bool is not an integer"})


class ErrorsTest(parameterized.TestCase):
    @parameterized.parameters(*headings())
    def test_a_heading_quotes_a_message(self, heading):
        texts = [literal(node) for tree in TREES for node in ast.walk(tree)]
        texts.append(loading.libraries().op_library.read_bytes().decode("latin-1"))
        texts.append((repository.ROOT / "configure.sh").read_text().replace('"', ""))
        for part in ARGUMENT.sub("", heading).split("..."):
            self.assertIn(part.strip(), "\n".join(texts))

    @parameterized.parameters(*messages())
    def test_a_message_is_in_the_document(self, message):
        text = ARGUMENT.sub("", message).replace("`...`", "...")
        text = re.split(r"[.;:]? Received|=\.\.\.", text)[0]
        parts = [part.split() for part in text.split("...")]
        # The first words are enough, and the document may break the line.
        first = max(parts, key=lambda words: len(words) > 2)[:5]
        self.assertIn(" ".join(first).rstrip(",:;"), " ".join(DOCUMENT.split()))

    def test_there_are_messages(self):
        self.assertGreater(len(messages()), 50)
        self.assertGreater(len(headings()), 50)


if __name__ == "__main__":
    absltest.main()
