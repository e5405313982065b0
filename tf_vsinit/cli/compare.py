"""`python -m tf_vsinit compare`: how many values differ from those of the stock initializers."""

import argparse
import importlib
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import tf_vsinit
from tf_vsinit.arguments import DTYPES, checked_seed

_stock = tf.keras.initializers
_CLASSES = [spread + kind for spread in ("Glorot", "He", "Lecun") for kind in ("Normal", "Uniform")]
_SHAPES = ((), (1000,), (500, 300), (3, 3, 64, 128))
# The most characters of an error of Keras to print: it adds the config of the whole model.
_SHOWN_CHARACTERS = 300


class _Variable(NamedTuple):
    """A variable to draw."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    initializer: Any  # Its seed is ignored.


def add_to(commands: Any) -> None:
    """Adds the command to a parser's subcommands."""
    command = commands.add_parser(
        "compare",
        help="count the values that differ from those of the stock initializers",
        description="Draws variables with the stock initializers and with those of tf_vsinit, all "
        "with one seed, and counts the values that differ for each stream. The exit status is 0 if "
        "the stream `tensorflow` gave the stock values, bit for bit, 1 if not, and 2 if nothing "
        "was compared.",
    )
    command.add_argument(
        "model",
        nargs="?",
        help="file of a Keras model whose variables are drawn; without it, some usual shapes in "
        "every dtype",
    )
    command.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="module to import first, such as the one that registers the model's own layers",
    )
    command.add_argument("--seed", type=int, default=1, help="of every variable (default: 1)")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints a Markdown table with a row for each variable."""
    try:
        checked_seed([options.seed, 0])
        for module in options.modules:
            importlib.import_module(module)
        model = options.model and tf.keras.models.load_model(options.model, compile=False)
    except (ImportError, OSError, TypeError, ValueError) as error:
        print(f"nothing to compare: {_shown(error)}", file=sys.stderr)
        return 2
    variables = list(_usual() if model is None else _of_model(model))
    different = _print_table(variables, options.seed)
    if model is not None:
        others = len(model.weights) - len(variables)
        print(
            f"\nNot drawn: {others} other variables of the model, which are not variance-scaled, "
            "or whose layer does not tell their initializer."
        )
    if not variables:
        return 2
    return 1 if different else 0


def _shown(error: Exception) -> str:
    """Returns the first and the last line of an error. Keras names the class in the last one."""
    lines = str(error).strip().splitlines()
    return " ... ".join(line[:_SHOWN_CHARACTERS] for line in dict.fromkeys([lines[0], lines[-1]]))


def _print_table(variables: list[_Variable], seed: int) -> int:
    """Prints a row for each variable; returns how many values differ with `tensorflow`."""
    print("| variable | shape | dtype | values | differ with `tensorflow` | with `vsinit` |")
    print("|---|---|---|--:|--:|--:|")
    total = np.zeros(3, np.int64)
    for variable in variables:
        stock = _draw(_stock.VarianceScaling, variable, seed=seed)
        counts = [stock.size]
        for stream in ("tensorflow", "vsinit"):
            ours = _draw(tf_vsinit.VarianceScaling, variable, seed=seed, stream=stream)
            counts.append(_count_different(stock, ours))
        total += counts
        _print_row(variable.name, list(variable.shape), variable.dtype, *counts)
    _print_row("all", "", "", *total)
    return int(total[1])


def _print_row(*cells: Any) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


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
