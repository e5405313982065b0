"""Saves figures of matplotlib as small SVGs that differ only where the figure does."""

from __future__ import annotations

import pathlib
import re

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.fonttype"] = "none"
matplotlib.rcParams["svg.hashsalt"] = "tf_vsinit"

DOCS = pathlib.Path(__file__).absolute().parent.parent / "docs"


def tidy(path: pathlib.Path) -> None:
    """Removes from an SVG of matplotlib what changes from run to run, and what is only long."""
    text = re.sub(r"\n *<metadata>.*?</metadata>", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r" ?\n *(?=[LQCz<\"])", "\n", text)
    text = re.sub(r" font-family: 'DejaVu Sans'[^;\"]*;?", "", text)
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", text)
    text = re.sub(r"<!--.*?-->\n", "", text)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = text.replace("*{stroke", "text{font-family: 'DejaVu Sans', sans-serif} *{stroke")
    # Within tags only, because outside they are labels.
    text = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d)\d+", r"\1", tag[0]), text)
    path.write_text(text)
