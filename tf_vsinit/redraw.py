"""Draws a variable again, in place."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from tf_vsinit import _tensorflow_private, arguments, functional, layouts
from tf_vsinit.box import Box, make_box


def redraw(
    variable: Any,
    seed: Any,
    *,
    scale: Any,
    mode: Any,
    distribution: Any,
    input_axes: Any = None,
    output_axes: Any = None,
    stream: str = "vsinit",
) -> tf.Operation | None:
    """Gives a variable the values that `functional.draw` draws for its shape and dtype.

    A variable on a CPU needs no memory besides its own: the op writes into its buffer. If a tensor
    shares the buffer, because someone has read the variable, the tensor keeps its values and the
    variable gets another buffer. On another device the values are drawn and then assigned. The same
    holds in a graph of TensorFlow 1 for a variable without a device, and for a reference variable.
    `layouts.redraw` says what holds for a DTensor.

    Args:
      variable: a `tf.Variable`; a variable of a `tf.distribute` strategy, each copy of which is
        drawn on its own device; a `ShardedVariable`, each shard of which is drawn as a box of the
        whole; a DTensor variable; or a variable of Keras 3 that holds one of these.
      seed: this and the further arguments are those of `functional.draw`.
      scale: see there.
      mode: see there.
      distribution: see there.
      input_axes: see there.
      output_axes: see there.
      stream: see there.

    Returns:
      None in eager mode and in a `tf.function`, which runs the operations in the order of the
      program; in a graph of TensorFlow 1, the operation that a session has to run.

    Raises:
      ValueError: if `variable` is none of the above, or if its shape or dtype or another argument
        is not one that `functional.draw` takes.
      tf.errors.InvalidArgumentError: the same, for values known only when the op runs.
    """
    options = dict(
        scale=scale,
        mode=mode,
        distribution=distribution,
        input_axes=input_axes,
        output_axes=output_axes,
        stream=stream,
    )
    variable = _of_tensorflow(variable)
    whole = make_box(variable.shape, names=("variable.shape", "begin", "size"))
    done = tf.group(*[_redraw(part, box, seed, options) for part, box in _parts(variable, whole)])
    return None if tf.inside_function() else done


def check(variable: Any, seed: Any, **options: Any) -> None:
    """Raises what `redraw` raises for the same arguments, by drawing an empty box."""
    variable = _of_tensorflow(variable)
    shape = make_box(variable.shape, names=("variable.shape", "begin", "size")).shape
    nothing = Box(shape, (0,) * len(shape), (0,) * len(shape))
    functional.draw(nothing, seed, dtype=variable.dtype, **options)


def _of_tensorflow(variable):
    """Returns a variable of TensorFlow itself, and of a variable of Keras 3 what it holds."""
    for candidate in (variable, getattr(variable, "value", None)):
        if isinstance(candidate, (tf.Variable, _tensorflow_private.ShardedVariable)):
            return candidate
    must = "be a variable of TensorFlow, or one of Keras 3 that holds one"
    raise arguments.argument_error("variable", must, variable)


def _parts(variable: Any, box: Box) -> Iterator[tuple[tf.Variable, Box]]:
    """Yields the variables that a variable of tf.distribute consists of, with their boxes."""
    if isinstance(variable, _tensorflow_private.ShardedVariable):
        row, *columns = box.begin
        for shard in variable.variables:  # TensorFlow cuts the first axis only.
            yield from _parts(shard, Box(box.shape, (row, *columns), tuple(shard.shape)))
            row += shard.shape[0]
    elif isinstance(variable, tf.distribute.DistributedValues):
        for copy in variable.values:
            yield copy, box
    else:
        yield variable, box


def _redraw(variable, box, seed, options):
    options = {**options, "dtype": variable.dtype}
    kind = tf.DeviceSpec.from_string(variable.device).device_type
    if kind == "CUSTOM":  # DTensor's.
        return layouts.redraw(variable, seed, **options)
    with tf.device(variable.device):
        if kind == "CPU" and hasattr(variable, "handle"):  # A reference variable has none.
            return functional.draw(box, seed, into=variable.handle, **options)
        return variable.assign(functional.draw(box, seed, **options), read_value=False)
