"""Draws docs/statistics.svg: p-values, distances, tails and singular values."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from tests.randomness import matrices, tests_of_draws
from tests.randomness.draws import Case
from tests.support import repository

svg = repository.import_script("tools/svg.py")
from matplotlib import pyplot  # noqa: E402  after svg.py has chosen its backend

PATH = svg.DOCS / "statistics.svg"
# From the palette of Okabe and Ito, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#999999"


def draw(
    ps: np.ndarray, distances: dict[str, list[float]], tails: dict[str, list[tuple[int, float]]]
) -> None:
    figure, axes = pyplot.subplots(2, 2, figsize=(11, 7.2), layout="constrained")
    _p_values(axes[0, 0], ps)
    _distances(axes[0, 1], distances)
    _tails(axes[1, 0], tails)
    _singular_values(axes[1, 1])
    for axis in axes.flat:
        axis.grid(alpha=0.3)
        axis.minorticks_off()
    figure.savefig(PATH)
    pyplot.close(figure)
    svg.tidy(PATH)


def _p_values(axis, ps):
    """Plots the p-values in ascending order, against those that chance gives."""
    # Of all ranks, a hundred that are even in the logarithm.
    ranks = np.unique(np.geomspace(1, len(ps), 100).astype(int))
    expected = ranks / (len(ps) + 1)
    axis.plot(expected, expected, color=GREY, lw=1, label="expected")
    axis.plot(
        expected, np.sort(ps)[ranks - 1], ".", color=BLUE, label=f"{len(ps)} two-sided p-values"
    )
    axis.set(title="p-values", xlabel="expected", ylabel="found", xscale="log", yscale="log")
    axis.legend()


def _distances(axis, distances):
    """Plots the distances that the Kolmogorov-Smirnov test examines, at every fifth point."""
    exact = np.arange(1, tests_of_draws.PLOTTED + 1) / (tests_of_draws.PLOTTED + 1)
    colors = {"uniform": GREEN, "truncated_normal": BLUE, "untruncated_normal": ORANGE}
    for case, values in distances.items():
        distribution = case.split(", ")[1]
        axis.plot(exact[::5], values[::5], color=colors[distribution], lw=0.8, label=distribution)
    bound = stats.kstwobign.isf(0.01)
    axis.axhline(bound, color=GREY, ls="--", label="one sample in 100 crosses it")
    axis.axhline(-bound, color=GREY, ls="--")
    axis.set(
        title="distance of the distribution functions",
        xlabel="exact distribution function",
        ylabel="sqrt(n) (empirical - exact)",
    )
    handles = dict(zip(*axis.get_legend_handles_labels()[::-1], strict=True))
    axis.legend(handles.values(), handles.keys(), fontsize="small")


def _tails(axis, tails):
    """Plots the counts beyond k standard deviations over the expected ones."""
    shown = [case for case in tails if case.endswith(("float32", "float64"))]
    for number, (case, color) in enumerate(
        zip(shown, (BLUE, GREEN, ORANGE, GREY), strict=True), start=-2
    ):
        points = [
            (t + number * 0.05, count / expected, 1 / math.sqrt(expected))
            for t, (count, expected) in zip(tests_of_draws.TAILS, tails[case], strict=True)
            if expected
        ]
        x, ratio, error = np.transpose(points)
        stream, _, dtype = case.split(", ")
        axis.errorbar(x, ratio, error, fmt="o", ms=4, color=color, label=f"{stream}, {dtype}")
    axis.axhline(1, color=GREY, lw=1)
    axis.set(title="tails", xlabel="standard deviations", ylabel="draws beyond, over expected")
    axis.legend(fontsize="small")


def _singular_values(axis):
    """Plots the eigenvalues of one large matrix, and their law."""
    rows, columns = 4000, 2000
    case = Case("vsinit", "truncated_normal", "float32", (2027, 100))
    matrix = next(case.boxes(rows * columns, rows * columns)).reshape(rows, columns)
    stddev = stats.truncnorm(-2, 2).std()
    values = matrices.eigenvalues(matrix / stddev)
    ratio = columns / rows
    x = np.linspace(*matrices.marchenko_pastur_edges(ratio), 100)
    axis.hist(values, 40, density=True, color=BLUE, alpha=0.5, label=f"{rows} x {columns} draws")
    law = matrices.marchenko_pastur_density(x, ratio)
    axis.plot(x, law, color=ORANGE, label="law of Marchenko and Pastur")
    axis.set(
        title="squared singular values",
        xlabel="eigenvalue",
        ylabel="density",
    )
    axis.legend()
