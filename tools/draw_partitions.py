"""Draws docs/partitions.svg: a variable, its shards, and the stream elements that each one reads.

Run `python tools/draw_partitions.py` to write the file. With `--check` the script writes nothing,
and its exit status is 1 if the file is out of date. The script does not compute which elements a
shard reads: it draws the shard with the NumPy reference and finds its values in the whole variable.
"""

from __future__ import annotations

import argparse
import importlib
import pathlib
import sys
from collections.abc import Iterator, Sequence

import numpy as np

ROOT = pathlib.Path(__file__).absolute().parent.parent
PATH = ROOT / "docs" / "partitions.svg"

# Appended, so that no module next to the reference hides one of the standard library.
sys.path.append(str(ROOT / "tf_vsinit"))
reference = importlib.import_module("reference")

SHAPE = (4, 12)
COUNT = SHAPE[0] * SHAPE[1]
WORDS_IN_A_BLOCK = 4
# partition_offset and partition_shape of every shard. The first three are the shards that
# tf.distribute makes of 4 rows.
CUTS = {
    "Cut along the first axis: each shard reads one run": (
        ((0, 0), (2, 12)),
        ((2, 0), (1, 12)),
        ((3, 0), (1, 12)),
    ),
    "Cut along the last axis: each shard reads a run for every row": (
        ((0, 0), (4, 5)),
        ((0, 5), (4, 4)),
        ((0, 9), (4, 3)),
    ),
}
# From Paul Tol's bright scheme, which colour-blind readers can tell apart.
COLOURS = ("#66ccee", "#ccbb44", "#ee8866")

# Lengths in pixels.
CELL, GAP, MARGIN = 20, 14, 20
PANEL_HEIGHT = 300
GRID_TOP = 48
SHARDS_LEFT = SHAPE[1] * CELL + 80
STREAM_TOP = 232


def main() -> int:
    """Writes or checks the picture; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    drawing = "\n".join(picture()) + "\n"
    if not parser.parse_args().check:
        PATH.write_text(drawing)
        return 0
    return int(PATH.read_text() != drawing)


def indices_read(offset: Sequence[int], shape: Sequence[int]) -> np.ndarray:
    """Returns an array with the shape of the shard: the index of each element in the variable."""
    whole = reference.stateless_variance_scaling(SHAPE, [1, 0]).ravel()
    shard = reference.stateless_variance_scaling(SHAPE, [1, 0], begin=offset, size=shape)
    order = np.argsort(whole)
    indices = order[np.searchsorted(whole, shard, sorter=order)]
    assert np.array_equal(whole[indices], shard)
    return indices


def picture() -> Iterator[str]:
    """Yields the lines of the SVG."""
    width, height = 2 * MARGIN + COUNT * CELL, MARGIN + len(CUTS) * PANEL_HEIGHT
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    )
    yield f'<defs><rect id="cell" width="{CELL}" height="{CELL}" stroke="white"/></defs>'
    yield f'<rect width="{width}" height="{height}" fill="white"/>'
    for number, (title, shards) in enumerate(CUTS.items()):
        yield f'<g transform="translate({MARGIN} {MARGIN + number * PANEL_HEIGHT})">'
        yield _text(0, 14, title, 'font-size="15" font-weight="bold"')
        yield from _panel(shards)
        yield "</g>"
    yield "</svg>"


def _panel(shards):
    """Yields the variable, its shards to the right, and the stream below."""
    yield _text(0, GRID_TOP - 10, f"variable, shape {SHAPE}")
    colours = [""] * COUNT
    for number, (offset, shape) in enumerate(shards):
        indices = indices_read(offset, shape)
        for index in indices.ravel():
            colours[index] = COLOURS[number]
        yield from _shard(number, offset, shape, indices)
    for index, colour in enumerate(colours):
        row, column = divmod(index, SHAPE[1])
        yield _cell(column * CELL, GRID_TOP + row * CELL, index, colour)
    stream = "stream of the seed: element indices, in blocks of four float32 words"
    yield _text(0, STREAM_TOP - 10, stream)
    for index, colour in enumerate(colours):
        yield _cell(index * CELL, STREAM_TOP, index, colour)
    for block in range(COUNT // WORDS_IN_A_BLOCK):
        x, width = block * WORDS_IN_A_BLOCK * CELL, WORDS_IN_A_BLOCK * CELL
        yield f'<path d="M{x} {STREAM_TOP + CELL + 4}h{width - 3}" stroke="black"/>'
        yield _text(x, STREAM_TOP + CELL + 20, f"block {block}")


def _shard(number, offset, shape, indices):
    """Yields a shard, at its place in the variable but apart from the others."""
    x = SHARDS_LEFT + offset[1] * CELL
    y = GRID_TOP + offset[0] * CELL + (number * GAP if shape[1] == SHAPE[1] else 0)
    lines = [f"shard {number}", f"offset {offset}", f"shape {shape}"]
    if shape[1] == SHAPE[1]:
        yield _text(x + SHAPE[1] * CELL + GAP, y + 15, ", ".join(lines))
    else:
        x += 2 * number * GAP
        for line, text in enumerate(lines):
            yield _text(x, y + shape[0] * CELL + 16 * (line + 1), text)
    for (row, column), index in np.ndenumerate(indices):
        yield _cell(x + column * CELL, y + row * CELL, index, COLOURS[number])


def _cell(x, y, index, colour):
    square = f'<use href="#cell" x="{x}" y="{y}" fill="{colour}"/>'
    return square + _text(x + CELL // 2, y + 14, index, 'text-anchor="middle" font-size="10"')


def _text(x, y, text, style=""):
    return f'<text x="{x}" y="{y}"{" " * bool(style)}{style}>{text}</text>'


if __name__ == "__main__":
    sys.exit(main())
