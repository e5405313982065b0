"""Finds the documents that tests read and the scripts that tests import."""

import importlib
import pathlib
import re
import sys
import types

ROOT = pathlib.Path(__file__).parents[2]


def section(document: str, title: str) -> str:
    """Returns what a document, named by its path, has under a heading of level two."""
    text = (ROOT / document).read_text()
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def documents() -> list[str]:
    """Returns the paths of all documents for people, relative to the repository."""
    return [str(p.relative_to(ROOT)) for p in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])]


def blocks(text: str) -> list[tuple[str, str]]:
    """Returns the language and the text of each fenced block in a text in Markdown."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def python_blocks(text: str) -> list[str]:
    """Returns the blocks of Python in a text in Markdown."""
    return [block for language, block in blocks(text) if language == "python"]


def import_script(path: str) -> types.ModuleType:
    """Imports a script by its path in the repository; it can import those beside it."""
    script = ROOT / path
    if str(script.parent) not in sys.path:
        sys.path.append(str(script.parent))
    return importlib.import_module(script.stem)
