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
ELEMENTS = {
    2**4: "16",
    2**8: "256",
    2**12: "4 Ki",
    2**16: "64 Ki",
    2**20: "1 Mi",
    2**24: "16 Mi",
    2**28: "256 Mi",
}
SPEEDS = {
    1e4: "10 k",
    1e5: "100 k",
    1e6: "1 M",
    1e7: "10 M",
    1e8: "100 M",
    1e9: "1 G",
    1e10: "10 G",
}
# From the palette of Okabe and Ito, which colour-blind readers can tell apart.
STYLES = {
    "tf_vsinit": {"color": "#0072B2", "linewidth": 2.5},
    'tf_vsinit, stream="tensorflow"': {"color": "#56B4E9", "linewidth": 2},
    "Keras 3": {"color": "#E69F00"},
    "tf_keras": {"color": "#E69F00", "linestyle": "--"},
    "compat.v1": {"color": "#E69F00", "linestyle": ":"},
    "PyTorch": {"color": "#D55E00"},
    "JAX": {"color": "#CC79A7"},
    "NumPy": {"color": "#009E73"},
    "MKL": {"color": "#009E73", "linestyle": "--"},
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
                axis.loglog(elements, speeds, label=row["library"], **STYLES[row["library"]])
        # As text: powers would take more of the file than the lines.
        axis.set_xticks(list(ELEMENTS), list(ELEMENTS.values()))
        axis.set_yticks(list(SPEEDS), list(SPEEDS.values()))
        axis.minorticks_off()
        axis.set_title(f"{draw}, {dtype}", fontsize="medium")
        axis.grid(alpha=0.3)
    for axis in axes[1]:
        axis.set_xlabel("elements")
    for axis in axes[:, 0]:
        axis.set_ylabel("values per second")
    figure.suptitle(f"{results['cpu']}, {cpus} CPUs, {results['instruction_set']}")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    figure.savefig(path)
    pyplot.close(figure)
    svg.tidy(path)


if __name__ == "__main__":
    main()
