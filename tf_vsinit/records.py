"""The variables of a model or layer, each with its path and its initializer."""

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_vsinit import _tensorflow_private, arguments, paths


@dataclasses.dataclass(frozen=True)
class VariableRecord:
    """A variable, of a layer or alone."""

    # As docs/stream.md defines it, among the layers that were asked for.
    path: str
    variable: Any
    # None for a variable alone.
    layer: Any
    # None for a variable alone, and if the layer does not say how it made the variable.
    initializer: Any


def variable_records(target: Any) -> list[VariableRecord]:
    """Returns the variables of a layer or model and of the layers in it, or those given.

    States of metrics, optimizers and random generators are not among them.

    Args:
      target: a Keras layer or model whose variables have been made, a variable, or a sequence of
        variables.

    Raises:
      ValueError: for another target, or one without variables.
    """
    if isinstance(target, tf.keras.layers.Layer):
        records = _records_in(target)
    else:
        variables = target if isinstance(target, Sequence) else [target]
        if not all(hasattr(variable, "assign") for variable in variables):
            must = "be a Keras layer or model, a variable, or a sequence of variables"
            raise arguments.argument_error("target", must, target)
        records = [VariableRecord(paths.variable_path(v), v, None, None) for v in variables]
    if not records:
        raise arguments.argument_error("target", "have variables, so be built", target)
    return records


def _records_in(root):
    layers = list(root._flatten_layers())
    tree = paths.LayerTree(layers)
    return [
        record
        for layer in layers
        if tree.counts(layer)
        for record in _records_of(layer, tree.path(layer))
    ]


class _LstmBias:
    """The initializer of an LSTM's biases: ones for the forget gate, the second of four."""

    def __init__(self, initializer):
        self._initializer = initializer

    def __call__(self, shape, dtype=None):
        values = [self._initializer([shape[0] // 4], dtype) for _ in range(4)]
        values[1] = tf.ones_like(values[1])
        return tf.concat(values, 0)

    def __repr__(self):
        return f"{self._initializer!r}, with ones for the forget gate"


def _records_of(layer, path):
    counts = collections.Counter()
    for variable in _tensorflow_private.variables_of_layer(layer):
        name = paths.variable_name(variable.name)
        yield VariableRecord(
            path=f"{path}/{paths.numbered(name, counts[name])}",
            variable=variable,
            layer=layer,
            initializer=_initializer(layer, name),
        )
        counts[name] += 1


def _initializer(layer, name):
    """Returns what a layer keeps as `kernel_initializer`, `depthwise_initializer` and so on."""
    if name == "bias" and getattr(layer, "unit_forget_bias", False):
        return _LstmBias(layer.bias_initializer)
    # DepthwiseConv2D of Keras 3 has a `depthwise_initializer` for its `kernel`.
    depthwise = ["depthwise"] if name == "kernel" else []
    for stem in (name, name.removesuffix("_kernel"), *depthwise):
        initializer = getattr(layer, f"{stem}_initializer", None)
        if callable(initializer):
            return _tensorflow_private.with_axes_of_layer(initializer, layer)
    return None
