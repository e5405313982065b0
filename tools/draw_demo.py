"""Draws docs/demo.svg, the figure of `make demo`: run `.venv/bin/python tools/draw_demo.py`."""

import sys

import svg

sys.path.append(str(svg.DOCS.parent / "examples"))

import demo
import digits_models


def main() -> None:
    _, (images, _) = digits_models.load_digits()
    path = svg.DOCS / "demo.svg"
    demo.write_figure(path, images, samples=2_000_000, models=8)
    svg.tidy(path)


if __name__ == "__main__":
    main()
