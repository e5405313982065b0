"""The figure of the demo: values drawn and their densities, and activations by layer."""

import math
import pathlib
import statistics

import matplotlib
import matplotlib.ticker

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
import tensorflow as tf

import tf_vsinit

SEED = 1
# The three distributions before scaling.
DISTRIBUTIONS = {
    "truncated_normal": scipy.stats.truncnorm(-2, 2),
    "untruncated_normal": scipy.stats.norm(),
    "uniform": scipy.stats.uniform(-1, 2),
}
# From the palette of Okabe and Ito, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
# Each series has its own marker, line style and width, so that series that coincide stay visible.
SERIES_STYLES = (
    {"color": ORANGE, "marker": "o", "linestyle": "-", "linewidth": 5, "markersize": 11},
    {"color": BLUE, "marker": "s", "linestyle": "-", "linewidth": 2, "markersize": 6},
    {"color": GREEN, "marker": "^", "linestyle": ":", "linewidth": 2, "markersize": 7},
)


def write_figure(path: pathlib.Path, samples: int, spreads: dict) -> None:
    """Writes the figure, in the format that the name of the file ends with.

    Args:
      path: the file to write.
      samples: the number of values to draw from each distribution.
      spreads: title of a panel -> label of a series -> name of a layer -> the standard deviation
        of the output of that layer in each of several models.
    """
    figure = plt.figure(figsize=(13, 9), layout="constrained")
    top, bottom = figure.subfigures(2, 1)
    top.suptitle(f"{samples:,} float32 values of each distribution, and its density")
    for axes, distribution in zip(top.subplots(1, 3, sharey=True), DISTRIBUTIONS, strict=True):
        _plot_distribution(axes, distribution, samples)
    bottom.suptitle(
        "Standard deviation of the activations on the test images, before training "
        "(line: geometric mean; band: minimum to maximum)"
    )
    for axes, title in zip(bottom.subplots(1, len(spreads)), spreads, strict=True):
        _plot_spreads(axes, title, spreads[title])
    bottom.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _plot_distribution(axes, distribution, samples):
    fan_in = 100
    values = tf_vsinit.stateless_variance_scaling(
        [fan_in, samples // fan_in], seed=[SEED, 0], distribution=distribution
    )
    wanted_stddev = math.sqrt(1 / fan_in)
    heights, edges = np.histogram(
        np.ravel(values) / wanted_stddev, np.linspace(-4, 4, 161), density=True
    )
    axes.stairs(heights, edges, fill=True, color=BLUE, alpha=0.45, label="drawn")
    unit = DISTRIBUTIONS[distribution]
    x = np.linspace(-4, 4, 2001)
    axes.plot(x, unit.std() * unit.pdf(x * unit.std()), color="black", lw=1.5, label="density")
    found = np.std(values, dtype=np.float64) / wanted_stddev
    axes.set_title(f"{distribution}\nstandard deviation: {found:.4f} times the wanted one")
    axes.set_xlabel("value / wanted standard deviation")
    axes.set_ylabel("probability density")
    axes.label_outer()
    axes.legend(loc="upper right")


def _plot_spreads(axes, title, series):
    for style, (label, spread) in zip(SERIES_STYLES, series.items(), strict=True):
        layers, stddevs = list(spread), list(spread.values())
        axes.plot(layers, list(map(statistics.geometric_mean, stddevs)), label=label, **style)
        lowest, highest = list(map(min, stddevs)), list(map(max, stddevs))
        axes.fill_between(layers, lowest, highest, color=style["color"], alpha=0.2, linewidth=0)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    models = len(stddevs[0])
    axes.set_title(f"{title}, {models} models")
    axes.set_xlabel("layer")
    axes.set_ylabel("standard deviation of the output")
    axes.grid(axis="y", alpha=0.3)


def activation_spread(model, layer_names, images) -> dict[str, float]:
    """Returns layer -> standard deviation of its output over all images and units."""
    outputs = [model.get_layer(name).output for name in layer_names]
    activations = tf.keras.Model(model.input, outputs)(images)
    return {
        name: float(np.std(activation, dtype=np.float64))
        for name, activation in zip(layer_names, activations, strict=True)
    }
