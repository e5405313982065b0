"""Turns the NAME.json of bench.py into a report, NAME.md, and a plot, NAME.png, beside it."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Iterator


class Results:
    """The rows of a run, by what was timed."""

    def __init__(self, results: dict) -> None:
        """Takes the content of the JSON file."""
        self.made_on: dict[str, str] = results["made on"]
        self.left_out: list[str] = results["left out"]
        keys = ("name", "layout", "distribution", "dtype", "log2")
        self.seconds = {tuple(row[key] for key in keys): row["seconds"] for row in results["rows"]}
        self.names = list(dict.fromkeys(key[0] for key in self.seconds))
        self.baselines = [name for name in self.names if name not in ("memset", "tf_vsinit")]
        self.kinds = list(dict.fromkeys(key[2:4] for key in self.seconds if key[0] == "tf_vsinit"))

    def sizes(self, name: str, distribution: str, dtype: str) -> list[int]:
        """Returns the base-2 logarithms of the element counts of the whole tensors timed."""
        kind = (name, "whole", distribution, dtype)
        return sorted(key[4] for key in self.seconds if key[:4] == kind)

    def whole(self, name: str, distribution: str, dtype: str, log2: int) -> float | None:
        """Returns the seconds per whole tensor, or None if it was not timed."""
        distribution = "zero" if name == "memset" else distribution
        return self.seconds.get((name, "whole", distribution, dtype, log2))

    def ratio(self, name: str, distribution: str, dtype: str, log2: int) -> float | None:
        """Returns the time of `name` over that of tf_vsinit, or None if either was not timed."""
        fill = self.whole("tf_vsinit", distribution, dtype, log2)
        other = self.whole(name, distribution, dtype, log2)
        return other / fill if fill and other else None


def cell(value: float | None, form: str) -> str:
    """Formats a number for a table. None becomes a dash."""
    return "-" if value is None else format(value, form)


def table(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Yields the lines of a table. All columns but the first two are numbers."""
    yield "| " + " | ".join(header) + " |"
    yield "|---|---|" + "--:|" * (len(header) - 2)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def speeds(results: Results) -> Iterator[str]:
    """Yields a table of the largest tensors."""
    header = ["distribution", "dtype", "elements", "values/s", "GB/s", "of memset"]
    rows = []
    for distribution, dtype in results.kinds:
        log2 = results.sizes("tf_vsinit", distribution, dtype)[-1]
        seconds = results.whole("tf_vsinit", distribution, dtype, log2)
        item_size = {"float32": 4, "float64": 8}.get(dtype, 2)
        memset = results.ratio("memset", distribution, dtype, log2)
        times = [results.ratio(name, distribution, dtype, log2) for name in results.baselines]
        rate = 2**log2 / seconds
        rows.append(
            [distribution, dtype, f"2^{log2}", f"{rate:.3g}", f"{rate * item_size / 1e9:.0f}"]
            + [cell(memset, ".0%")]
            + [cell(value, ".1f") for value in times]
        )
    yield "Large tensors. The columns after memset hold a time over that of tf_vsinit."
    yield ""
    yield from table(header + results.baselines, rows)


def calls(results: Results) -> Iterator[str]:
    """Yields a table of the smallest tensors."""
    yield "Small tensors, in microseconds per call from Python."
    yield ""
    names = ["tf_vsinit", "memset", *results.baselines]
    rows = []
    for distribution, dtype in results.kinds:
        log2 = results.sizes("tf_vsinit", distribution, dtype)[0]
        times = [results.whole(name, distribution, dtype, log2) for name in names]
        micros = [None if seconds is None else seconds * 1e6 for seconds in times]
        rows.append([distribution, dtype, f"2^{log2}"] + [cell(value, ".1f") for value in micros])
    yield from table(["distribution", "dtype", "elements", *names], rows)


def boxes(results: Results) -> Iterator[str]:
    """Yields a table of boxes."""
    layouts = list(dict.fromkeys(key[1] for key in results.seconds if key[1].startswith("box")))
    if not layouts:
        return
    rows = []
    for distribution, dtype in results.kinds:
        keys = [
            key
            for key in results.seconds
            if key[1] in layouts and key[2:4] == (distribution, dtype)
        ]
        times = {key[1]: results.seconds[key] for key in keys}
        rows.append([distribution, dtype, f"2^{keys[0][4]}"])
        rows[-1] += [f"{times[layout] / times[layouts[0]]:.2f}" for layout in layouts[1:]]
    names = [layout.removeprefix("box: ") for layout in layouts[1:]]
    yield "Boxes. Their time over that of a whole tensor with the same number of elements."
    yield ""
    yield from table(["distribution", "dtype", "elements", *names], rows)


def plot(results: Results, file: pathlib.Path) -> bool:
    """Plots values per second over size. Returns False if matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 5), sharey=True, layout="constrained")
    distributions = dict.fromkeys(distribution for distribution, _ in results.kinds)
    for axis, distribution in zip(axes, distributions, strict=False):
        for name in results.names:
            kind = (name, "zero" if name == "memset" else distribution, "float32")
            sizes = results.sizes(*kind)
            if sizes:
                rates = [2**log2 / results.whole(*kind, log2) for log2 in sizes]
                style = {"memset": "k--", "tf_vsinit": "C3o-"}.get(name, "o-")
                axis.plot([2**log2 for log2 in sizes], rates, style, label=name)
        axis.set(xscale="log", yscale="log", title=f"{distribution}, float32", xlabel="elements")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("values per second")
    axes[0].legend()
    figure.suptitle(results.made_on["card"])
    figure.savefig(file, dpi=110)
    return True


def write(file: pathlib.Path) -> None:
    """Writes the report and the plot beside a JSON file, and prints the report."""
    results = Results(json.loads(file.read_text()))
    lines = [f"- {what}: {value}" for what, value in results.made_on.items()] + [""]
    for section in (speeds, calls, boxes):
        lines += section(results)
    if results.left_out:
        lines += ["Left out:", "", *(f"- {line}" for line in results.left_out), ""]
    if plot(results, file.with_suffix(".png")):
        lines += [f"![values per second over size]({file.stem}.png)", ""]
    text = "\n".join(lines)
    file.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
