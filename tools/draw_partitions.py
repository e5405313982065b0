"""Draws `docs/partitions.svg`: a variable, its shards, and the positions of the stream each reads.

Run `python tools/draw_partitions.py` to draw it again; with `--check` nothing is written and the
exit status says whether the file is up to date. Which positions a shard reads is looked up, not
computed: its values, drawn by the NumPy reference, are found among those of the whole variable.
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

# At the end of the path: no module beside the reference may hide one of Python's own.
sys.path.append(str(ROOT / "tf_vsinit"))
reference = importlib.import_module("reference")

SHAPE = (4, 12)
COUNT = SHAPE[0] * SHAPE[1]
WORDS_IN_A_BLOCK = 4
# partition_offset and partition_shape of every shard. The first ones are cut as tf.distribute cuts
# 4 rows into 3 shards.
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
# Of Paul Tol's bright scheme, which the colour-blind can tell apart.
COLOURS = ("#66ccee", "#ccbb44", "#ee8866")

# Lengths in pixels.
CELL, GAP, MARGIN = 20, 14, 20
PANEL_HEIGHT = 300
GRID_TOP = 48
SHARDS_LEFT = SHAPE[1] * CELL + 80
STREAM_TOP = 232


def main() -> int:
    """Writes the picture, or compares it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    drawing = "\n".join(picture()) + "\n"
    if not parser.parse_args().check:
        PATH.write_text(drawing)
        return 0
    return int(PATH.read_text() != drawing)


def positions_read(offset: Sequence[int], shape: Sequence[int]) -> np.ndarray:
    """Returns, in the shape of a shard, the position in the stream of each of its elements."""
    whole = reference.stateless_variance_scaling(SHAPE, [1, 0]).ravel()
    shard = reference.stateless_variance_scaling(SHAPE, [1, 0], begin=offset, size=shape)
    order = np.argsort(whole)
    positions = order[np.searchsorted(whole, shard, sorter=order)]
    assert np.array_equal(whole[positions], shard)
    return positions


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
    """Yields a variable, its shards beside it, and the stream below."""
    yield _text(0, GRID_TOP - 10, f"variable, shape {SHAPE}")
    colours = [""] * COUNT
    for number, (offset, shape) in enumerate(shards):
        positions = positions_read(offset, shape)
        for position in positions.ravel():
            colours[position] = COLOURS[number]
        yield from _shard(number, offset, shape, positions)
    for position, colour in enumerate(colours):
        row, column = divmod(position, SHAPE[1])
        yield _cell(column * CELL, GRID_TOP + row * CELL, position, colour)
    stream = "stream of the seed: positions, in blocks of four float32 words"
    yield _text(0, STREAM_TOP - 10, stream)
    for position, colour in enumerate(colours):
        yield _cell(position * CELL, STREAM_TOP, position, colour)
    for block in range(COUNT // WORDS_IN_A_BLOCK):
        x, width = block * WORDS_IN_A_BLOCK * CELL, WORDS_IN_A_BLOCK * CELL
        yield f'<path d="M{x} {STREAM_TOP + CELL + 4}h{width - 3}" stroke="black"/>'
        yield _text(x, STREAM_TOP + CELL + 20, f"block {block}")


def _shard(number, offset, shape, positions):
    """Yields a shard where it lies in the variable, moved away from the others."""
    x = SHARDS_LEFT + offset[1] * CELL
    y = GRID_TOP + offset[0] * CELL + (number * GAP if shape[1] == SHAPE[1] else 0)
    lines = [f"shard {number}", f"offset {offset}", f"shape {shape}"]
    if shape[1] == SHAPE[1]:
        yield _text(x + SHAPE[1] * CELL + GAP, y + 15, ", ".join(lines))
    else:
        x += 2 * number * GAP
        for line, text in enumerate(lines):
            yield _text(x, y + shape[0] * CELL + 16 * (line + 1), text)
    for (row, column), position in np.ndenumerate(positions):
        yield _cell(x + column * CELL, y + row * CELL, position, COLOURS[number])


def _cell(x, y, position, colour):
    square = f'<use href="#cell" x="{x}" y="{y}" fill="{colour}"/>'
    return square + _text(x + CELL // 2, y + 14, position, 'text-anchor="middle" font-size="10"')


def _text(x, y, text, style=""):
    return f'<text x="{x}" y="{y}"{" " * bool(style)}{style}>{text}</text>'


if __name__ == "__main__":
    sys.exit(main())
