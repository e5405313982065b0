"""What the commands print: tables and JSON on standard output, progress on standard error."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

_ERASE_LINE = "\r\x1b[2K"


def print_json(value: Any) -> None:
    """Prints a JSON document."""
    clear_progress()
    print(json.dumps(value, indent=2))


def print_text(text: str) -> None:
    """Prints lines of text."""
    clear_progress()
    print(text, flush=True)


def print_table(headings: Sequence[str], rows: Iterable[Sequence], text_columns: int = 1) -> None:
    """Prints a table: on a terminal in its width, and elsewhere as Markdown, row by row.

    Args:
      headings: the text above each column.
      rows: the cells, which are printed as `str` shows them.
      text_columns: how many columns, from the left, hold text. The others hold numbers.
    """
    if sys.stdout.isatty():
        _print_drawn(headings, list(rows), text_columns)
    else:
        _print_markdown(headings, rows, text_columns)


def progress(doing: str) -> None:
    """Says on a terminal what is going on, on a line that the next progress or output replaces."""
    # Without a thread, which a spinner would need and a benchmark would measure.
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(_ERASE_LINE + f"{doing} ..."[:width])
        sys.stderr.flush()


def clear_progress() -> None:
    """Erases the line of `progress`."""
    if sys.stderr.isatty():
        sys.stderr.write(_ERASE_LINE)
        sys.stderr.flush()


def _print_drawn(headings: Sequence[str], rows: list[Sequence], text_columns: int) -> None:
    # Here, because importing it takes a tenth of a second.
    from rich import console, table, text

    drawn = table.Table()
    for i, heading in enumerate(headings):
        # As text, because brackets in a string are markup.
        is_text = i < text_columns
        drawn.add_column(
            text.Text(heading), justify="left" if is_text else "right", overflow="fold"
        )
    for row in rows:
        drawn.add_row(*(text.Text(str(cell)) for cell in row))
    clear_progress()
    console.Console().print(drawn)


def _print_markdown(headings: Sequence[str], rows: Iterable[Sequence], text_columns: int) -> None:
    clear_progress()
    rules = ["---" if i < text_columns else "--:" for i in range(len(headings))]
    print(f"| {' | '.join(headings)} |\n|{'|'.join(rules)}|", flush=True)
    for row in rows:
        clear_progress()
        print(f"| {' | '.join(map(str, row))} |", flush=True)
