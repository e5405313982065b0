"""`tf_vsinit.inspect`, which says what each variable of a model got, and whether that is right."""

import dataclasses
import hashlib
import math
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import tensorflow as tf

from tf_vsinit import arguments, paths, reference, scopes, spread
from tf_vsinit.records import variable_records

HEADINGS = ("path", "shape", "initializer", "fans", "wanted", "found", "range", "verdict")

# How many values of a variable are read at a time.
_READ_AT_A_TIME = 2**20
# Beyond this many standard errors, a variable counts as trained.
_STANDARD_ERRORS = 5
_TRAINED = "far from where it started: trained"

# Of each distribution with a standard deviation of 1: the largest value, and the kurtosis.
_LARGEST_AND_KURTOSIS = {
    "uniform": (math.sqrt(3), 1.8),
    "truncated_normal": (2 / 0.87962566103423978, 2.3655),
    "untruncated_normal": (math.inf, 3.0),
}


@dataclasses.dataclass(frozen=True)
class InspectedVariable:
    """What `tf_vsinit.inspect` found out about a variable."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    # The name of its class, or None if the layer does not say how it made the variable.
    initializer: str | None
    # As the initializer counts them. These three are None unless it is variance-scaling.
    fan_in: int | None
    fan_out: int | None
    wanted_stddev: float | None
    # These three are None if the variable is empty or has values that are not finite.
    found_stddev: float | None
    min: float | None
    max: float | None
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields as a dict."""
        return dataclasses.asdict(self)

    def row(self) -> list[str]:
        """Returns the cells of the table, one for each of `HEADINGS`."""
        return [
            self.path,
            "x".join(map(str, self.shape)) or "scalar",
            self.initializer or "",
            "" if self.fan_in is None else f"{self.fan_in}, {self.fan_out}",
            "" if self.wanted_stddev is None else f"{self.wanted_stddev:.4g}",
            "" if self.found_stddev is None else f"{self.found_stddev:.4g}",
            "" if self.min is None else f"{self.min:.3g} to {self.max:.3g}",
            self.verdict,
        ]


class Inspection(list[InspectedVariable]):
    """The records that `tf_vsinit.inspect` returns; printed, a table."""

    def __init__(
        self, variables: Iterable[InspectedVariable], layers: Sequence[spread.LayerSpread] = ()
    ) -> None:
        """Keeps the records, and the spread of each layer if there was a sample."""
        super().__init__(variables)
        self.layers = list(layers)

    def __repr__(self) -> str:
        """Returns the table."""
        rows = [HEADINGS, *(each.row() for each in self)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        )
        return "\n".join(line.rstrip() for line in lines)

    __str__ = __repr__

    def to_dict(self) -> dict[str, Any]:
        """Returns a dict that can be written as JSON."""
        return {
            "variables": [each.to_dict() for each in self],
            "layers": [dataclasses.asdict(each) for each in self.layers],
        }


def inspect(target: Any, sample: Any = None, plot: str | os.PathLike = "spread.png") -> Inspection:
    """Says what each variable of a model got, and whether that is right.

    Returns a list with a record for each variable: path, shape, dtype, the class of its
    initializer, fan_in and fan_out as the initializer counts them, the wanted and the found
    standard deviation, the least and the largest value, and a verdict. `print` shows it as a table,
    and `to_dict` makes a dict of it.

    The verdict is the first of these that holds:

    - `no values`: the variable has no elements.
    - `NaN or infinite values`.
    - `as designed`: the initializer is a constant, and these are its values.
    - `all zeros`: by another initializer, or by one that is not known.
    - `same values as <path>`: an earlier variable of the same shape and dtype has the same values,
      and they are not all equal.
    - `far from where it started: trained`: the initializer is a constant, and these are not its
      values. Or it is a variance-scaling one, and it does not draw such values: their standard
      deviation is more than 5 standard errors from the wanted one, their mean more than 5 from
      zero, or a value is outside the range of the distribution. By chance, fewer than one in
      100 000 variables that were just drawn get this verdict. A variable that was trained a little
      may not get it.
    - `initializer not known`.
    - `not variance-scaled`: such as an orthogonal kernel.
    - `wrong fans for <layer>: <fan_in> in, <fan_out> out would be right`: the initializer reads the
      fans from a shape that does not show them, and the right ones give another standard deviation.
      Four kinds of kernels are checked: the depthwise kernels of `DepthwiseConv` and
      `SeparableConv` layers; those of `Conv` layers with several groups; those of `ConvTranspose`
      layers without strides, whose shape has the outputs before the inputs; and those of
      `EinsumDense` layers, and so of attention, which tf_keras and Keras before 3.13 read as
      convolutions.
    - `as designed`.

    Args:
      target: a Keras model or layer whose variables have been made, a variable, or a sequence of
        variables. Variables do not know their initializers.
      sample: a batch of inputs, which a Keras model or layer can be called with. It is called once,
        as for inference. The attribute `layers` of the list then has a record for each layer with
        variables, in the order of the calls: its path, the standard deviation of its output, and
        that of the gradient of a loss with respect to this output. The loss is the sum of the
        squares of the model's outputs. Layers that are called in a `tf.function` are left out. A
        PNG shows the records. This needs Matplotlib.
      plot: the PNG to write if there is a sample.

    Raises:
      ValueError: for a target without variables, or a sample that the model does not take.
      RuntimeError: in a graph, where variables have no values.

    Example:

    >>> import tensorflow as tf
    >>> import tf_vsinit
    >>> model = tf.keras.Sequential([tf.keras.Input([8]), tf.keras.layers.Dense(4)])
    >>> for variable in tf_vsinit.inspect(model):
    ...     print(variable.path, variable.initializer, variable.verdict)
    dense/kernel GlorotUniform as designed
    dense/bias Zeros as designed
    """
    if not tf.executing_eagerly():
        raise RuntimeError("tf_vsinit.inspect reads values, so it must be called in eager mode.")
    records = variable_records(target)
    if sample is None:
        return Inspection(_inspected(records))
    if not isinstance(target, tf.keras.layers.Layer):
        raise arguments.argument_error("sample", "be None unless `target` is a model", sample)
    spread.matplotlib_figure()  # An error before the work.
    layers = spread.layer_spreads(target, sample)
    spread.write_picture(layers, plot)
    return Inspection(_inspected(records), layers)


def _inspected(records):
    """Yields a record for each variable."""
    paths_of_values = {}
    for record in records:
        variable = record.variable
        shape, dtype = tuple(variable.shape), tf.as_dtype(variable.dtype)
        if not (dtype.is_floating or dtype.is_integer or dtype.is_bool):
            must = f"hold variables of real numbers, and {record.path} is of {dtype.name}"
            raise arguments.argument_error("target", must, variable)
        values = _summary(variable)
        design = _design(record, shape)
        same = paths_of_values.setdefault((shape, dtype, values.digest), record.path)
        yield InspectedVariable(
            path=record.path,
            shape=shape,
            dtype=dtype.name,
            initializer=_name(record.initializer),
            fan_in=design and design.fans[0],
            fan_out=design and design.fans[1],
            wanted_stddev=design and design.stddev,
            found_stddev=_if_finite(values.stddev),
            min=_if_finite(values.min),
            max=_if_finite(values.max),
            verdict=_verdict(record, dtype, values, design, None if same == record.path else same),
        )


def _name(initializer):
    if initializer is None:
        return None
    return getattr(initializer, "__name__", type(initializer).__name__).lstrip("_")


def _if_finite(number):
    return number if math.isfinite(number) else None


# --- Values ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Summary:
    """The values of a variable. Without elements, and with some that are not finite, NaN."""

    count: int
    mean: float
    stddev: float
    min: float
    max: float
    digest: bytes


def _summary(variable) -> _Summary:
    """Reads a variable once, in float64, without a copy of it."""
    flat = tf.reshape(tf.convert_to_tensor(variable), [-1])
    digest = hashlib.blake2b()
    count, mean, squares, least, largest = 0, 0.0, 0.0, math.inf, -math.inf
    for begin in range(0, flat.shape[0], _READ_AT_A_TIME):
        size = min(_READ_AT_A_TIME, flat.shape[0] - begin)
        read = tf.slice(flat, tf.constant([begin], tf.int64), tf.constant([size], tf.int64)).numpy()
        digest.update(read.tobytes())
        values = read.astype(np.float64)
        # The parallel algorithm of Chan, Golub and LeVeque, for the sum of squares about the mean.
        with np.errstate(invalid="ignore"):  # Infinities.
            difference = float(values.mean()) - mean
            squares += float(values.var()) * size + difference**2 * count * size / (count + size)
        count += size
        mean += difference * size / count
        least, largest = min(least, float(values.min())), max(largest, float(values.max()))
    if not (count and math.isfinite(squares)):
        return _Summary(count, math.nan, math.nan, math.nan, math.nan, digest.digest())
    return _Summary(count, mean, math.sqrt(squares / count), least, largest, digest.digest())


# --- What was wanted ---------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Design:
    """What a variance-scaling initializer draws for a variable."""

    fans: tuple[int, int]
    right_fans: tuple[int, int]
    stddev: float
    right_stddev: float
    distribution: str


def _design(record, shape) -> _Design | None:
    """Returns None if the initializer is not known, or not variance-scaling."""
    ours = scopes.converted(record.initializer, "vsinit")
    if ours is None:
        return None
    options = ours.draw_options()  # Those of compat.v1 have no axes.
    fans = reference.fans(shape, options.get("input_axes"), options.get("output_axes"))
    right_fans = _right_fans(record, shape) or fans
    stddev, right_stddev = (
        # Truncation does not change the standard deviation that the values end up with.
        reference.limit_or_stddev(ours.scale, ours.mode, *each, "untruncated_normal")
        for each in (fans, right_fans)
    )
    distribution = arguments.checked_distribution(ours.distribution)
    return _Design(fans, right_fans, stddev, right_stddev, distribution)


def _right_fans(record, shape) -> tuple[int, int] | None:
    """Returns how many inputs an output has and how many outputs an input; None if shape tells."""
    layers = tf.keras.layers
    name, layer = paths.variable_name(record.variable.name), record.layer
    if name == "depthwise_kernel" or (
        name == "kernel" and isinstance(layer, (layers.DepthwiseConv1D, layers.DepthwiseConv2D))
    ):
        *window, _, multiplier = shape
        return math.prod(window), math.prod(window) * multiplier
    transposed = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
    if name == "kernel" and isinstance(layer, transposed):
        # Before the case below, because they are convolutions in tf_keras.
        if max(layer.strides) > 1:
            return None  # The outputs have different numbers of inputs.
        *window, outputs, inputs = shape
        return reference.fans((*window, inputs, outputs))
    if name == "kernel" and isinstance(layer, (layers.Conv1D, layers.Conv2D, layers.Conv3D)):
        fan_in, fan_out = reference.fans(shape)
        return fan_in, fan_out // layer.groups
    if name == "kernel" and isinstance(layer, layers.EinsumDense):
        inputs, kernel, outputs = re.split(",|->", layer.equation)
        extents = list(zip(kernel, shape, strict=True))
        return (
            math.prod(extent for axis, extent in extents if axis not in outputs),
            math.prod(extent for axis, extent in extents if axis not in inputs),
        )
    return None


def _constant(initializer, dtype) -> float | None:
    """Returns the value that an initializer gives every element, or None."""
    stock = tf.keras.initializers
    if isinstance(initializer, stock.Zeros):
        return 0.0
    if isinstance(initializer, stock.Ones):
        return 1.0
    if isinstance(initializer, stock.Constant) and np.ndim(initializer.value) == 0:
        return float(np.asarray(initializer.value, dtype.as_numpy_dtype))
    return None


# --- The verdict -------------------------------------------------------------------------------


def _verdict(record, dtype, values, design, same) -> str:
    if not values.count:
        return "no values"
    if math.isnan(values.stddev):
        return "NaN or infinite values"
    constant = _constant(record.initializer, dtype)
    if constant is not None and values.min == values.max == constant:
        return "as designed"
    if values.min == values.max == 0:
        return "all zeros"
    if same is not None and values.min != values.max:
        return f"same values as {same}"
    if constant is not None:
        return _TRAINED
    if design is not None and not _is_as_drawn(values, design, dtype):
        return _TRAINED
    if design is None:
        return "initializer not known" if record.initializer is None else "not variance-scaled"
    if design.stddev != design.right_stddev:
        fan_in, fan_out = design.right_fans
        return (
            f"wrong fans for {type(record.layer).__name__}: "
            f"{fan_in} in, {fan_out} out would be right"
        )
    return "as designed"


def _is_as_drawn(values, design, dtype) -> bool:
    """Says whether values are such as an initializer draws, by the rule in the docstring above."""
    largest, kurtosis = _LARGEST_AND_KURTOSIS[design.distribution]
    limits = ml_dtypes.finfo(dtype.as_numpy_dtype)
    # How coarse the values are. Stock uniforms are rounded down, so their mean is off by this.
    epsilon, tiny = float(limits.eps), float(limits.smallest_subnormal)
    mean_error = 1 / math.sqrt(values.count)
    stddev_error = math.sqrt((kurtosis - 1) / (4 * values.count))
    relative = values.stddev / design.stddev
    return (
        abs(relative - 1) <= _STANDARD_ERRORS * stddev_error + epsilon
        and abs(values.mean) / design.stddev <= _STANDARD_ERRORS * mean_error + 2 * epsilon
        and max(-values.min, values.max) <= largest * design.stddev * (1 + epsilon) + tiny
    )
