"""Draws docs/bench.svg from the first table of docs/performance.md, the output of `make bench`.

Run `.venv/bin/python tools/draw_bench.py` after a change of that table.
"""

from __future__ import annotations

import pathlib
import re

import svg
from matplotlib import pyplot

DOCUMENT = svg.DOCS / "performance.md"
PATH = svg.DOCS / "bench.svg"
# Column of the table, label and colour; from the palette of Okabe and Ito, which colour-blind
# readers can tell apart.
SERIES = (
    ("stock", "stock", "#E69F00"),
    ("`tensorflow`", 'tf_vsinit, stream="tensorflow"', "#56B4E9"),
    ("tf_vsinit", "tf_vsinit", "#0072B2"),
)
BAR = 0.27


def rows() -> list[dict[str, str]]:
    """Returns the rows of the table of speeds, by the names of its columns."""
    table = re.search(r"^\| draw \|.*?\n\n", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)[0]
    heading, _, *lines = ([cell.strip() for cell in line.split("|")] for line in table.split("\n"))
    return [dict(zip(heading, line, strict=True)) for line in lines if len(line) > 1]


def machine() -> str:
    """Returns the line above the table, which says what the table was measured on."""
    return re.search(r"^(TensorFlow [\d.]+, .*?);", DOCUMENT.read_text(), re.MULTILINE)[1]


def main(path: pathlib.Path = PATH) -> None:
    draws = list(dict.fromkeys(row["draw"] for row in rows()))
    figure, axes = pyplot.subplots(1, len(draws), figsize=(11, 3.6), layout="constrained")
    for axis, draw in zip(axes, draws, strict=True):
        lines = [row for row in rows() if row["draw"] == draw]
        for number, (column, label, color) in enumerate(SERIES):
            places = [place + (number - 1) * BAR for place in range(len(lines))]
            speeds = [float(line[column]) for line in lines]
            axis.bar(places, speeds, BAR, label=label, color=color)
        axis.set_xticks(range(len(lines)), [line["dtype"] for line in lines])
        axis.set_title(draw)
        axis.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("million values per second")
    figure.suptitle(f"8192 x 8192 values, on {machine()}", fontsize="medium")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(path)
    pyplot.close(figure)
    svg.tidy(path)


if __name__ == "__main__":
    main()
