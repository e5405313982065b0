"""Draws docs/peers.svg from docs/peers.json, which benchmarks/peers.py writes.

Run `.venv/bin/python tools/draw_peers.py` after a change of docs/peers.json.
"""

from __future__ import annotations

import json
import pathlib

import svg
from matplotlib import pyplot

DATA = svg.DOCS / "peers.json"
PATH = svg.DOCS / "peers.svg"
PANELS = (
    ("he_normal", "float32"),
    ("glorot_uniform", "float32"),
    ("untruncated normal", "float32"),
    ("he_normal", "float64"),
    ("he_normal", "bfloat16"),
    ("he_normal", "float16"),
)
# From the palette of Okabe and Ito, which colour-blind readers can tell apart.
STYLES = {
    "tf_vsinit": {"color": "#0072B2", "linewidth": 2.5, "marker": "o"},
    'tf_vsinit, stream="tensorflow"': {"color": "#56B4E9", "linewidth": 2, "marker": "o"},
    "Keras 3": {"color": "#E69F00", "marker": "s"},
    "tf_keras": {"color": "#E69F00", "linestyle": "--", "marker": "^"},
    "compat.v1": {"color": "#E69F00", "linestyle": ":", "marker": "v"},
    "PyTorch": {"color": "#D55E00", "marker": "s"},
    "JAX": {"color": "#CC79A7", "marker": "s"},
    "NumPy": {"color": "#009E73", "marker": "s"},
    "MKL": {"color": "#009E73", "linestyle": "--", "marker": "^"},
    "memset": {"color": "#999999", "linestyle": ":"},
    "tf.fill": {"color": "#000000", "linestyle": "--"},
}


def main(path: pathlib.Path = PATH) -> None:
    results = json.loads(DATA.read_text())
    cpus = max(row["cpus"] for row in results["rows"])
    figure, axes = pyplot.subplots(
        2, 3, figsize=(11, 7), sharex=True, sharey=True, layout="constrained"
    )
    for axis, (draw, dtype) in zip(axes.flat, PANELS, strict=True):
        for row in results["rows"]:
            if (row["draw"], row["dtype"], row["cpus"]) == (draw, dtype, cpus):
                elements = [2**log2 for log2 in row["log2_elements"]]
                speeds = [n / s for n, s in zip(elements, row["median"], strict=True)]
                axis.loglog(
                    elements, speeds, label=row["library"], markersize=4, **STYLES[row["library"]]
                )
        axis.set_xscale("log", base=2)
        axis.set_title(f"{draw}, {dtype}", fontsize="medium")
        axis.grid(alpha=0.3)
    figure.supxlabel("elements")
    figure.supylabel("values per second")
    figure.suptitle(f"{results['cpu']}, {cpus} CPUs, {results['instruction_set']}")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    figure.savefig(path)
    pyplot.close(figure)
    svg.tidy(path)


if __name__ == "__main__":
    main()
