"""`python -m tf_vsinit inspect`: what each initializer does for a shape."""

import argparse
import math
import sys
from typing import Any

import numpy as np

import tf_vsinit
from tf_vsinit import reference


def add_to(commands: Any) -> None:
    """Adds the command to a parser's subcommands."""
    command = commands.add_parser("inspect", help="show what each initializer does for a shape")
    command.add_argument("shape", type=int, nargs="*", help="of the variable, such as 3 3 64 128")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--dtype", default="float32")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the fans of a shape, and the spread and first values that each initializer gives."""
    shape = options.shape
    names = [n + d for n in ("Glorot", "He", "Lecun") for d in ("Normal", "Uniform")]
    try:
        lines = [_inspected(name, options) for name in names]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    fan_in, fan_out = reference.fans(shape)
    print(f"shape {shape}, {math.prod(shape)} elements: fan_in {fan_in}, fan_out {fan_out}\n")
    print(*lines, sep="\n")
    return 0


def _inspected(name: str, options: argparse.Namespace) -> str:
    initializer = getattr(tf_vsinit, name)(seed=options.seed)
    values = _first_values(initializer, options)
    is_uniform = initializer.distribution == "uniform"
    spread = reference.limit_or_stddev(
        initializer.scale,
        initializer.mode,
        *reference.fans(options.shape),
        # Truncation does not change the standard deviation that the values end up with.
        "uniform" if is_uniform else "untruncated_normal",
    )
    return f"{name:14} {'limit' if is_uniform else 'stddev'} {spread:<12.6g} {values}"


def _first_values(initializer, options: argparse.Namespace) -> str:
    """Draws no more than it shows: the start of the first row."""
    shape = options.shape
    size = [min(1, extent) for extent in shape[:-1]] + [min(6, extent) for extent in shape[-1:]]
    values = initializer(
        shape, options.dtype, partition_shape=size, partition_offset=[0] * len(shape)
    )
    return " ".join(f"{value:+.6g}" for value in np.ravel(values).tolist())
