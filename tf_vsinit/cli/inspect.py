"""`python -m tf_vsinit inspect`: the variables of a model, or what initializers do for a shape."""

import argparse
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import tf_vsinit
from tf_vsinit import inspection, reference
from tf_vsinit.cli import models, output

_CLASSES = [n + d for n in ("Glorot", "He", "Lecun") for d in ("Normal", "Uniform")]


def run(options: argparse.Namespace) -> int:
    """Prints the variables of a model, or what initializers give for a shape."""
    if any(isinstance(word, str) for word in options.target):
        _inspect_model(options)
    else:
        _inspect_shape(options)
    return 0


def _inspect_model(options: argparse.Namespace) -> None:
    if len(options.target) > 1:
        options.error(
            f"argument target: must be one model or one shape. Received: {options.target!r}"
        )
    (path,) = options.target
    models.import_modules(options)
    model = models.loaded("target", path, options)
    output.progress("Reading the variables")
    try:
        inspected = tf_vsinit.inspect(model)
    except ValueError as error:
        options.error(f"argument target: {error}. Received: {path!r}")
    if options.json:
        output.print_json(inspected.to_dict())
    else:
        headings = inspection.HEADINGS
        rows = [variable.row() for variable in inspected]
        output.print_table(headings, rows, text_columns=len(headings))


def _inspect_shape(options: argparse.Namespace) -> None:
    """Prints the fans of a shape, and the spread and first values that each initializer gives."""
    shape = list(itertools.chain(*options.target))
    try:
        initializers = [_inspected(name, shape, options) for name in _CLASSES]
    except ValueError as error:
        options.error(f"argument target: {error}")
    fan_in, fan_out = reference.fans(shape)
    inspected = {
        "shape": shape,
        "dtype": options.dtype,
        "seed": options.seed,
        "elements": math.prod(shape),
        "fan_in": fan_in,
        "fan_out": fan_out,
        "initializers": initializers,
    }
    if options.json:
        output.print_json(inspected)
    else:
        _print(inspected)


def _print(inspected: dict[str, Any]) -> None:
    output.print_text(
        "shape {shape}, {elements} elements: fan_in {fan_in}, fan_out {fan_out}\n".format(
            **inspected
        )
    )
    rows = [
        [
            row["initializer"],
            *("" if row[key] is None else f"{row[key]:.6g}" for key in ("limit", "stddev")),
            " ".join(f"{value:+.6g}" for value in row["first_values"]),
        ]
        for row in inspected["initializers"]
    ]
    first = f"first values in {inspected['dtype']} for seed {inspected['seed']}"
    output.print_table(["initializer", "limit", "stddev", first], rows)


def _inspected(name: str, shape: Sequence[int], options: argparse.Namespace) -> dict[str, Any]:
    initializer = getattr(tf_vsinit, name)(seed=options.seed)
    values = _first_values(initializer, shape, options.dtype)
    is_uniform = initializer.distribution == "uniform"
    spread = reference.limit_or_stddev(
        initializer.scale,
        initializer.mode,
        *reference.fans(shape),
        # Truncation does not change the standard deviation that the values end up with.
        "uniform" if is_uniform else "untruncated_normal",
    )
    return {
        "initializer": name,
        "limit": spread if is_uniform else None,
        "stddev": None if is_uniform else spread,
        "first_values": values,
    }


def _first_values(initializer: Any, shape: Sequence[int], dtype: str) -> list[float]:
    """Draws no more than it shows: the start of the first row."""
    size = [min(1, extent) for extent in shape[:-1]] + [min(6, extent) for extent in shape[-1:]]
    values = initializer(shape, dtype, partition_shape=size, partition_offset=[0] * len(shape))
    return [float(value) for value in np.ravel(values)]
