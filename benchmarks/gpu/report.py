"""Makes a table and a plot of what bench.py wrote: NAME.md and NAME.png beside NAME.json."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Iterator

GOALS = (
    # What, of which rows, at least this share of memset's speed.
    ("uniform float32", ("uniform", "float32"), 0.90),
    ("truncated normal float32", ("truncated_normal", "float32"), 0.75),
)


class Results:
    """The rows of a run, by what they are of."""

    def __init__(self, results: dict) -> None:
        """Takes the contents of the JSON file."""
        self.made_on: dict[str, str] = results["made on"]
        self.left_out: list[str] = results["left out"]
        keys = ("name", "layout", "distribution", "dtype", "log2")
        self.seconds = {tuple(row[key] for key in keys): row["seconds"] for row in results["rows"]}
        self.names = list(dict.fromkeys(key[0] for key in self.seconds))
        self.peers = [name for name in self.names if name not in ("memset", "tf_vsinit")]
        self.kinds = list(dict.fromkeys(key[2:4] for key in self.seconds if key[0] == "tf_vsinit"))

    def sizes(self, name: str, distribution: str, dtype: str) -> list[int]:
        """Logarithms of the element counts of whole tensors that there are times of."""
        kind = (name, "whole", distribution, dtype)
        return sorted(key[4] for key in self.seconds if key[:4] == kind)

    def whole(self, name: str, distribution: str, dtype: str, log2: int) -> float | None:
        """Seconds of a whole tensor."""
        distribution = "zero" if name == "memset" else distribution
        return self.seconds.get((name, "whole", distribution, dtype, log2))

    def ratio(self, name: str, distribution: str, dtype: str, log2: int) -> float | None:
        """How many times as long as ours another takes."""
        ours, theirs = (self.whole(n, distribution, dtype, log2) for n in ("tf_vsinit", name))
        return theirs / ours if ours and theirs else None


def cell(value: float | None, form: str) -> str:
    """A number of a table, or a dash."""
    return "-" if value is None else format(value, form)


def table(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    """The lines of a table; all columns but the first two hold numbers."""
    yield "| " + " | ".join(header) + " |"
    yield "|---|---|" + "--:|" * (len(header) - 2)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def speeds(results: Results) -> Iterator[str]:
    """The largest tensors."""
    header = ["distribution", "dtype", "elements", "values/s", "GB/s", "of memset"]
    rows = []
    for distribution, dtype in results.kinds:
        log2 = results.sizes("tf_vsinit", distribution, dtype)[-1]
        seconds = results.whole("tf_vsinit", distribution, dtype, log2)
        item_size = {"float32": 4, "float64": 8}.get(dtype, 2)
        memset = results.ratio("memset", distribution, dtype, log2)
        times = [results.ratio(name, distribution, dtype, log2) for name in results.peers]
        rate = 2**log2 / seconds
        rows.append(
            [distribution, dtype, f"2^{log2}", f"{rate:.3g}", f"{rate * item_size / 1e9:.0f}"]
            + [cell(memset, ".0%")]
            + [cell(value, ".1f") for value in times]
        )
    yield "Large tensors; of a peer, how many times as long it takes:"
    yield ""
    yield from table(header + results.peers, rows)


def goals(results: Results) -> Iterator[str]:
    """What was wanted of large tensors, and what came of it."""
    for name, (distribution, dtype), wanted in GOALS:
        log2 = results.sizes("tf_vsinit", distribution, dtype)[-1]
        share = results.ratio("memset", distribution, dtype, log2)
        verdict = "met" if share >= wanted else "not met"
        yield f"- {name}: {share:.0%} of memset's speed; {wanted:.0%} is wanted: {verdict}"
    for distribution in ("uniform", "truncated_normal"):
        for dtype in ("float16", "bfloat16"):
            log2 = min(results.sizes("tf_vsinit", distribution, d)[-1] for d in (dtype, "float32"))
            full, short = (
                results.whole("tf_vsinit", distribution, d, log2) for d in ("float32", dtype)
            )
            verdict = "met" if full / short >= 0.9 else "not met"
            line = f"- {distribution} {dtype}: {full / short:.2f} of float32's values per second"
            yield f"{line}; 0.9 is wanted: {verdict}"
    for distribution, dtype in results.kinds:
        log2 = results.sizes("tf_vsinit", distribution, dtype)[-1]
        times = results.ratio("torch.nn.init", distribution, dtype, log2)
        if times is not None and dtype == "float32":
            verdict = "met" if times >= 2 else "not met"
            line = f"- {distribution} {dtype}: {times:.1f} times as fast as torch.nn.init"
            yield f"{line}; 2 times are wanted: {verdict}"
    log2 = results.sizes("tf_vsinit", "uniform", "float32")[0]
    seconds = results.whole("tf_vsinit", "uniform", "float32", log2)
    verdict = "met" if seconds < 5e-6 else "not met"
    yield f"- a launch of 2^{log2} values: {seconds * 1e6:.1f} µs; 5 µs is wanted: {verdict}"
    yield ""


def calls(results: Results) -> Iterator[str]:
    """The smallest tensors."""
    yield "Small tensors, microseconds per call from Python:"
    yield ""
    names = ["tf_vsinit", "memset", *results.peers]
    rows = []
    for distribution, dtype in results.kinds:
        log2 = results.sizes("tf_vsinit", distribution, dtype)[0]
        times = [results.whole(name, distribution, dtype, log2) for name in names]
        micros = [None if seconds is None else seconds * 1e6 for seconds in times]
        rows.append([distribution, dtype, f"2^{log2}"] + [cell(value, ".1f") for value in micros])
    yield from table(["distribution", "dtype", "elements", *names], rows)


def slices(results: Results) -> Iterator[str]:
    """Slices beside whole tensors of as many elements."""
    layouts = list(dict.fromkeys(key[1] for key in results.seconds if key[1].startswith("slice")))
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
    names = [layout.removeprefix("slice: ") for layout in layouts[1:]]
    yield "Slices, time over that of a whole tensor of as many elements:"
    yield ""
    yield from table(["distribution", "dtype", "elements", *names], rows)


def plot(results: Results, file: pathlib.Path) -> bool:
    """Draws values per second over size; False where there is no matplotlib."""
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
    """Writes the table and the plot beside a JSON file, and prints the table."""
    results = Results(json.loads(file.read_text()))
    lines = [f"- {what}: {value}" for what, value in results.made_on.items()] + [""]
    for part in (goals, speeds, calls, slices):
        lines += part(results)
    if results.left_out:
        lines += ["Left out:", "", *(f"- {line}" for line in results.left_out), ""]
    if plot(results, file.with_suffix(".png")):
        lines += [f"![values per second over size]({file.stem}.png)", ""]
    text = "\n".join(lines)
    file.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
