"""The command line, `python -m tf_vsinit`: the arguments in parser.py, and a file per command."""

import importlib
import sys
from collections.abc import Sequence

from tf_vsinit.cli import parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command, by default `report`.

    Args:
      arguments: those of the command line; None means those of this process.

    Returns:
      The exit status: 0, or 1 if the command found wrong values.

    Raises:
      SystemExit: with status 2, after a line on standard error, if an argument is wrong.
    """
    options = parser.parse(sys.argv[1:] if arguments is None else arguments)
    return importlib.import_module(f"tf_vsinit.cli.{options.command}").run(options)
