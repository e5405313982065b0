"""`python -m tf_vsinit compare`: how many values differ from those of the stock initializers."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import tf_vsinit
from tf_vsinit.arguments import DTYPES

_stock = tf.keras.initializers
_CLASSES = [spread + kind for spread in ("Glorot", "He", "Lecun") for kind in ("Normal", "Uniform")]
_SHAPES = ((), (1000,), (500, 300), (3, 3, 64, 128))


class _Variable(NamedTuple):
    """A variable to draw."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    initializer: Any  # Its seed does not count.


def add_to(commands: Any) -> None:
    """Adds the command to a parser's subcommands."""
    command = commands.add_parser(
        "compare",
        help="count the values that differ from those of the stock initializers",
        description="Draws variables with the stock initializers and with those of tf_vsinit, and "
        "counts the values that differ for each stream. The exit status is 0 if the stream "
        "`tensorflow` gave the stock values, bit for bit.",
    )
    command.add_argument(
        "model",
        nargs="?",
        help="file of a Keras model whose variables are drawn; without it, some usual shapes in "
        "every dtype",
    )
    command.add_argument("--seed", type=int, default=1, help="of every variable (default: 1)")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints a Markdown table with a row for each variable."""
    try:
        variables = list(_of_model(options.model) if options.model else _usual())
    except (OSError, TypeError, ValueError) as error:
        # Keras goes on with the config of the whole model.
        print(f"cannot load {options.model}: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    if not variables:
        print(f"{options.model} has no variable with a variance-scaling initializer")
        return 0
    streams = ("tensorflow", "vsinit")
    print("| variable | shape | dtype | values | differ with `tensorflow` | with `vsinit` |")
    print("|---|---|---|--:|--:|--:|")
    total = np.zeros(3, np.int64)
    for variable in variables:
        stock = _draw(_stock.VarianceScaling, variable, seed=options.seed)
        counts = [stock.size]
        for stream in streams:
            ours = _draw(tf_vsinit.VarianceScaling, variable, seed=options.seed, stream=stream)
            counts.append(_count_different(stock, ours))
        total += counts
        _print_row(variable.name, list(variable.shape), variable.dtype, *counts)
    _print_row("all", "", "", *total)
    return 1 if total[1] else 0


def _print_row(*cells: Any) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def _usual() -> Iterator[_Variable]:
    """Yields the usual classes, dtypes and shapes."""
    for name in _CLASSES:
        for dtype in DTYPES:
            for shape in _SHAPES:
                yield _Variable(name, shape, dtype.name, getattr(_stock, name)())


def _of_model(path: str) -> Iterator[_Variable]:
    """Yields the variables of a saved model that have a variance-scaling initializer.

    Keras does not tell which initializer made a variable. A layer has the initializer of its
    variable `kernel` as `kernel_initializer`, and that of `depthwise_kernel` as
    `depthwise_initializer`.
    """
    model = tf.keras.models.load_model(path, compile=False)
    for layer in model._flatten_layers(include_self=False, recursive=True):
        for attribute, initializer in sorted(vars(layer).items()):
            name, is_initializer, rest = attribute.partition("_initializer")
            if not is_initializer or rest:
                continue
            if not isinstance(initializer, _stock.VarianceScaling):
                continue
            for place in (f"_{name}", name, f"{name}_kernel"):
                variable = getattr(layer, place, None)
                if variable is not None:
                    dtype = tf.as_dtype(variable.dtype).name
                    path = f"{layer.name}/{place.lstrip('_')}"
                    yield _Variable(path, tuple(variable.shape), dtype, initializer)
                    break


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
