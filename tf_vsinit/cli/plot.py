"""`python -m tf_vsinit plot`: values drawn, against their densities."""

import argparse
import math
import os

import numpy as np
import tensorflow as tf

import tf_vsinit
from tf_vsinit.arguments import DISTRIBUTIONS
from tf_vsinit.cli import output

# The standard deviation of a standard normal truncated at two.
TRUNCATED_STDDEV = 0.87962566103423978


def run(options: argparse.Namespace) -> int:
    """Writes a picture with a histogram of each distribution under its density."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        options.error("plot needs matplotlib: pip install matplotlib")
    matplotlib.use("Agg")
    try:
        _write_picture(options)
    except (tf.errors.ResourceExhaustedError, MemoryError):
        options.error(
            f"argument --values: must be as many as memory has room for. Received: {options.values}"
        )
    path = os.path.abspath(options.output)
    if options.json:
        output.print_json(
            {"output": path, "distributions": DISTRIBUTIONS, "values_of_each": options.values}
        )
    else:
        output.print_text(f"{options.values} values of each distribution: {path}")
    return 0


def _write_picture(options: argparse.Namespace) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4), layout="constrained")
    for axis, distribution in zip(axes, DISTRIBUTIONS, strict=True):
        output.progress(f"Drawing {distribution}")
        drawn = tf_vsinit.stateless_variance_scaling(
            [options.values, 1], [0, 0], mode="fan_out", distribution=distribution
        )
        axis.hist(np.ravel(drawn), bins=201, density=True, alpha=0.5, label="drawn")
        left, right = axis.get_xlim()
        x = np.linspace(left, right, 1001)
        axis.plot(x, _density(distribution, x), linewidth=1, label="density")
        axis.set_title(f"{distribution}, standard deviation 1")
        axis.legend()
    output.progress("Writing the picture")
    try:
        # Without a format, Matplotlib would add one to a name that has none.
        picture_format = os.path.splitext(options.output)[1][1:] or "png"
        figure.savefig(options.output, dpi=120, format=picture_format)
    # Matplotlib raises ValueError for a format that it does not know.
    except (OSError, ValueError) as error:
        options.error(
            f"argument --output: must be a picture that can be written. "
            f"Received: {options.output!r} ({error})"
        )
    finally:
        pyplot.close(figure)


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
