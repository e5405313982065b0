"""`python -m tf_vsinit plot`: values drawn, against their densities."""

import argparse
import math
import os
import sys
from typing import Any

import numpy as np

import tf_vsinit
from tf_vsinit.arguments import DISTRIBUTIONS

# The standard deviation of a standard normal truncated at two.
TRUNCATED_STDDEV = 0.87962566103423978


def add_to(commands: Any) -> None:
    """Adds the command to a parser's subcommands."""
    command = commands.add_parser("plot", help="plot values drawn against their densities")
    command.add_argument("--output", default="tf_vsinit.png", help="the PNG to write")
    command.add_argument("--values", type=int, default=1_000_000, help="to draw of each kind")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes a PNG with a histogram of each distribution under its density."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        print("plot needs matplotlib: pip install matplotlib", file=sys.stderr)
        return 2
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4), layout="constrained")
    for axis, distribution in zip(axes, DISTRIBUTIONS, strict=True):
        drawn = tf_vsinit.stateless_variance_scaling(
            [options.values, 1], [0, 0], mode="fan_out", distribution=distribution
        )
        axis.hist(np.ravel(drawn), bins=201, density=True, alpha=0.5, label="drawn")
        left, right = axis.get_xlim()
        x = np.linspace(left, right, 1001)
        axis.plot(x, _density(distribution, x), linewidth=1, label="density")
        axis.set_title(f"{distribution}, standard deviation 1")
        axis.legend()
    figure.savefig(options.output, dpi=120)
    print(f"{options.values} values of each distribution: {os.path.abspath(options.output)}")
    return 0


def _density(distribution: str, x: np.ndarray) -> np.ndarray:
    """Returns the density of the distribution scaled to a standard deviation of 1."""
    if distribution == "uniform":
        return np.where(np.abs(x) < math.sqrt(3), 1 / (2 * math.sqrt(3)), 0.0)
    z = x * TRUNCATED_STDDEV if distribution == "truncated_normal" else x
    normal = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    if distribution == "untruncated_normal":
        return normal
    mass = math.erf(math.sqrt(2))  # of the standard normal between -2 and 2
    return np.where(np.abs(z) < 2, normal * TRUNCATED_STDDEV / mass, 0.0)
