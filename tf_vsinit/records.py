"""The variables of a model or layer, each with its path and its initializer."""

import collections
import dataclasses
from typing import Any

import tensorflow as tf

from tf_vsinit import _tensorflow_private, paths


@dataclasses.dataclass(frozen=True)
class VariableRecord:
    """A variable of a layer."""

    # As docs/stream.md defines it, among the layers that were asked for.
    path: str
    variable: Any
    layer: Any
    # None if the layer does not say how it made the variable.
    initializer: Any


def variable_records(root: Any) -> list[VariableRecord]:
    """Returns the variables of a layer or model and of the layers in it.

    States of metrics, optimizers and random generators are not among them.

    Args:
      root: a Keras layer or model whose variables have been made.
    """
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
        name = paths.variable_name(variable)
        count = counts[name]
        counts[name] += 1
        yield VariableRecord(
            path=f"{path}/{name}_{count}" if count else f"{path}/{name}",
            variable=variable,
            layer=layer,
            initializer=_initializer(layer, name),
        )


def _initializer(layer, name):
    """Returns what a layer keeps as `kernel_initializer`, `depthwise_initializer` and so on."""
    if name == "bias" and getattr(layer, "unit_forget_bias", False):
        return _LstmBias(layer.bias_initializer)
    for stem in (name, name.removesuffix("_kernel")):
        initializer = getattr(layer, f"{stem}_initializer", None)
        if callable(initializer):
            return _tensorflow_private.with_axes_of_layer(initializer, layer)
    return None
