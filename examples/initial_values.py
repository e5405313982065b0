"""The wanted and the actual standard deviation of each variable of a Keras model."""

import dataclasses
import math
import re
from collections.abc import Callable, Iterator

import numpy as np
import scipy.stats
import tensorflow as tf

# The three distributions before scaling.
DISTRIBUTIONS = {
    "truncated_normal": scipy.stats.truncnorm(-2, 2),
    "untruncated_normal": scipy.stats.norm(),
    "uniform": scipy.stats.uniform(-1, 2),
}


@dataclasses.dataclass(frozen=True)
class InitialValue:
    """A variable: its name, the initializer that made it, and its values."""

    name: str
    initializer: tf.keras.initializers.Initializer
    fans: tuple[int, int] | None  # None for a constant.
    values: np.ndarray

    @property
    def wanted_stddev(self) -> float:
        if self.fans is None:
            return 0.0
        fan_in, fan_out = self.fans
        units = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        return math.sqrt(self.initializer.scale / units[self.initializer.mode])

    @property
    def found_stddev(self) -> float:
        return float(np.std(self.values, dtype=np.float64))

    @property
    def deviation(self) -> float:
        """Returns found minus wanted in standard errors: beyond +-4 in one of 16000 variables."""
        if self.fans is None:
            return 0.0
        kurtosis = 3 + DISTRIBUTIONS[self.initializer.distribution].stats("k")
        relative_error = math.sqrt((kurtosis - 1) / (4 * self.values.size))
        return (self.found_stddev / self.wanted_stddev - 1) / relative_error


def of_model(model) -> Iterator[InitialValue]:
    """Yields the variables of a model that has not been trained."""
    for prefix, layer in _layers(model):
        for variable in layer.weights:
            initializer = getattr(layer, f"{variable.name}_initializer")
            is_drawn = isinstance(initializer, tf.keras.initializers.VarianceScaling)
            yield InitialValue(
                name=f"{prefix} {variable.name}",
                initializer=initializer,
                fans=_fans(layer, variable) if is_drawn else None,
                values=variable.numpy(),
            )


def drawer(model) -> Callable[[], None]:
    """Returns a function that draws the values of all variables again, except constants."""
    drawn = [
        (initial.initializer, initial.values.shape)
        for initial in of_model(model)
        if initial.fans is not None
    ]

    def draw():
        for initializer, shape in drawn:
            initializer(shape)

    return draw


def _layers(model):
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.MultiHeadAttention):
            for part in ("query", "key", "value", "output"):
                yield f"{layer.name} {part}", getattr(layer, f"{part}_dense")
        else:
            yield layer.name, layer


def _fans(layer, variable):
    """Returns fan_in and fan_out. Derives them from what the layer computes, without Keras."""
    if isinstance(layer, tf.keras.layers.EinsumDense) and variable.name == "kernel":
        inputs, kernel, _ = re.split(",|->", layer.equation)
        sizes = dict(zip(kernel, variable.shape, strict=True))
        fan_in = math.prod(size for axis, size in sizes.items() if axis in inputs)
        return fan_in, math.prod(sizes.values()) // fan_in
    *window, inputs, outputs = variable.shape
    return math.prod(window) * inputs, math.prod(window) * outputs
