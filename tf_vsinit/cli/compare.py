"""`python -m tf_vsinit compare`: how many values differ from those of the stock initializers."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import tf_vsinit
from tf_vsinit.arguments import DTYPES
from tf_vsinit.cli import models, output

_stock = tf.keras.initializers
_CLASSES = [spread + kind for spread in ("Glorot", "He", "Lecun") for kind in ("Normal", "Uniform")]
_COUNTS = ("values", "different_with_tensorflow", "different_with_vsinit")
_SHAPES = ((), (1000,), (500, 300), (3, 3, 64, 128))


class _Variable(NamedTuple):
    """A variable to draw."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    initializer: Any  # Its seed is ignored.


def run(options: argparse.Namespace) -> int:
    """Prints a table with a row for each variable."""
    models.import_modules(options)
    model: Any = None if options.model is None else models.loaded("model", options.model, options)
    variables = list(_usual() if model is None else _of_model(model))
    if not variables:
        options.error(
            "argument model: must have a variable that a layer names a variance-scaling "
            f"initializer for. Received: {options.model!r}, with {len(model.weights)} others"
        )
    rows = [_compared(variable, options.seed) for variable in variables]
    compared = {
        "seed": options.seed,
        "model": options.model,
        "not_drawn": 0 if model is None else len(model.weights) - len(variables),
        "variables": rows,
        "all": {key: sum(row[key] for row in rows) for key in _COUNTS},
    }
    if options.json:
        output.print_json(compared)
    else:
        _print(compared)
    return 1 if compared["all"]["different_with_tensorflow"] else 0


def _compared(variable: _Variable, seed: int) -> dict[str, Any]:
    """Draws a variable with the stock initializer and with both streams of ours."""
    output.progress(f"Comparing {variable.name}")
    stock = _draw(_stock.VarianceScaling, variable, seed=seed)
    different = {
        f"different_with_{stream}": _count_different(
            stock, _draw(tf_vsinit.VarianceScaling, variable, seed=seed, stream=stream)
        )
        for stream in ("tensorflow", "vsinit")
    }
    return {
        "variable": variable.name,
        "shape": list(variable.shape),
        "dtype": variable.dtype,
        "values": stock.size,
        **different,
    }


def _print(compared: dict[str, Any]) -> None:
    headings = "variable", "shape", "dtype", "values", "differ with `tensorflow`", "with `vsinit`"
    rows = [list(row.values()) for row in compared["variables"]]
    total = ["all", "", "", *compared["all"].values()]
    output.print_table(headings, [*rows, total], text_columns=3)
    if compared["model"] is not None:
        print(
            f"Not drawn: {compared['not_drawn']} other variables of the model, which are not "
            "variance-scaled, or whose layer does not tell their initializer.",
            file=sys.stderr,
        )


def _usual() -> Iterator[_Variable]:
    """Yields the usual classes, dtypes and shapes."""
    for name in _CLASSES:
        for dtype in DTYPES:
            for shape in _SHAPES:
                yield _Variable(name, shape, dtype.name, getattr(_stock, name)())


def _of_model(model: Any) -> Iterator[_Variable]:
    """Yields the variables of a model that have a variance-scaling initializer."""
    for layer in model._flatten_layers(include_self=True, recursive=True):
        for attribute, initializer in sorted(vars(layer).items()):
            name, is_initializer, rest = attribute.partition("_initializer")
            if is_initializer and not rest and isinstance(initializer, _stock.VarianceScaling):
                variable = _initialized_variable(layer, name)
                if variable is not None:
                    # tf_keras has no paths. Its names end in ":0".
                    path = getattr(variable, "path", variable.name.removesuffix(":0"))
                    dtype = tf.as_dtype(variable.dtype).name
                    yield _Variable(path, tuple(variable.shape), dtype, initializer)


def _initialized_variable(layer: Any, name: str) -> Any:
    """Returns the variable that the initializer `<name>_initializer` of a layer made, or None.

    Keras does not record it. Most layers have `kernel_initializer` for the variable `kernel`,
    SeparableConv2D has `depthwise_initializer` for `depthwise_kernel`, and DepthwiseConv2D of
    Keras 3 has it for its only kernel.
    """
    places = [f"_{name}", name, f"{name}_kernel"]
    if not hasattr(layer, "kernel_initializer"):
        places.append("kernel")
    variables = (getattr(layer, place, None) for place in places)
    return next((variable for variable in variables if hasattr(variable, "shape")), None)


def _draw(cls: type, variable: _Variable, **options: Any) -> np.ndarray:
    made_like = variable.initializer
    names = ("scale", "mode", "distribution", "input_axes", "output_axes")
    # tf_keras has no axes.
    arguments = {n: getattr(made_like, n) for n in names if hasattr(made_like, n)}
    initializer = cls(**arguments, **options)
    return np.atleast_1d(initializer(variable.shape, variable.dtype).numpy())


def _count_different(a: np.ndarray, b: np.ndarray) -> int:
    bits = f"u{a.itemsize}"
    return int(np.count_nonzero(a.view(bits) != b.view(bits)))
