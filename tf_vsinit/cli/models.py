"""Loads the model that a command was given."""

import argparse
import importlib
from typing import Any

import tensorflow as tf

from tf_vsinit.cli import output

# The most characters of an error of Keras to print: it adds the config of the whole model.
_SHOWN_CHARACTERS = 300


def import_modules(options: argparse.Namespace) -> None:
    """Imports the modules of `--import`."""
    for module in options.modules:
        try:
            importlib.import_module(module)
        except (ImportError, TypeError, ValueError) as error:
            options.error(
                f"argument --import: must be a module that can be imported. Received: {module!r} "
                f"({_shown(error)})"
            )


def loaded(argument: str, path: str, options: argparse.Namespace) -> Any:
    """Returns the Keras model in a file. If there is none, ends the command with an error."""
    output.progress("Loading the model")
    try:
        return tf.keras.models.load_model(path, compile=False)
    # For a damaged file or an unknown layer, Keras raises almost any class.
    except Exception as error:
        options.error(
            f"argument {argument}: must be a Keras model that can be loaded. "
            f"Received: {path!r} ({_shown(error)})"
        )


def _shown(error: Exception) -> str:
    """Returns the first and the last line of an error. Keras names the class in the last one."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return " ... ".join(line[:_SHOWN_CHARACTERS] for line in dict.fromkeys([lines[0], lines[-1]]))
