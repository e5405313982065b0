"""Draws docs/activations.svg: the spread of activations by layer, for each initializer.

Run `.venv/bin/python tools/draw_activations.py`. The weights come from the NumPy reference.
"""

from __future__ import annotations

import importlib
import pathlib
import sys

import numpy as np
import svg
from matplotlib import pyplot

# Appended, so that no module next to the reference hides one of the standard library.
sys.path.append(str(svg.DOCS.parent / "tf_vsinit"))
reference = importlib.import_module("reference")

PATH = svg.DOCS / "activations.svg"
WIDTH, DEPTH, INPUTS = 256, 30, 512


def relu(x):
    return np.maximum(x, 0)


def selu(x):
    # The two constants of Klambauer et al., 2017.
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


ACTIVATIONS = {"relu": relu, "tanh": np.tanh, "selu": selu}
# The variance of the weights. Every layer has as many inputs as outputs, so Glorot's is LeCun's.
VARIANCES = {
    "He: 2 / fan_in": 2 / WIDTH,
    "LeCun: 1 / fan_in (Glorot: the same here)": 1 / WIDTH,
    "standard deviation 0.05, whatever the fans": 0.05**2,
}
# From the palette of Okabe and Ito, which colour-blind readers can tell apart.
STYLES = (("#0072B2", "-"), ("#E69F00", "--"), ("#009E73", ":"))


def spreads(activation, variance):
    """Returns the standard deviation of the activations of each layer of a new network."""
    x = np.random.default_rng(0).standard_normal((INPUTS, WIDTH))
    result = []
    for layer in range(DEPTH):
        kernel = reference.stateless_variance_scaling(
            (WIDTH, WIDTH), (layer, 0), scale=variance * WIDTH, dtype="float64"
        )
        x = activation(x @ kernel)
        result.append(x.std())
    return result


def main(path: pathlib.Path = PATH) -> None:
    figure, axes = pyplot.subplots(1, 3, figsize=(11, 3.6), layout="constrained", sharey=True)
    for axis, (name, activation) in zip(axes, ACTIVATIONS.items(), strict=True):
        for (label, variance), (color, line) in zip(VARIANCES.items(), STYLES, strict=True):
            layers = range(1, DEPTH + 1)
            axis.plot(layers, spreads(activation, variance), line, color=color, label=label, lw=2)
        axis.set(title=name, xlabel="layer", yscale="log", ylim=(1e-3, 10))
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("standard deviation of the output")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(path)
    pyplot.close(figure)
    svg.tidy(path)


if __name__ == "__main__":
    main()
