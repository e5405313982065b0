"""The command line: what is installed and works here, and bench, compare, inspect and plot."""

import argparse
from collections.abc import Sequence

from tf_vsinit.cli import bench, compare, inspect, plot, report


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a subcommand, by default the report on the installation; returns the exit status."""
    options = _parser().parse_args(arguments)
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tf_vsinit", description=__doc__)
    parser.set_defaults(run=report.run)
    commands = parser.add_subparsers(metavar="{bench,compare,inspect,plot}")
    bench.add_to(commands)
    compare.add_to(commands)
    inspect.add_to(commands)
    plot.add_to(commands)
    return parser
