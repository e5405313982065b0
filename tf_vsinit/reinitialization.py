"""`tf_vsinit.reinitialize`, which draws the variables of a model again, in place."""

import dataclasses
import functools
from typing import Any

import tensorflow as tf

from tf_vsinit import arguments, initializers, paths, redraw, scopes
from tf_vsinit.records import VariableRecord, variable_records


@arguments.entry_point
def reinitialize(
    target: Any,
    seed: int | None = None,
    initializer: Any = None,
    *,
    stream: str | None = None,
    reset_optimizer: bool = False,
) -> None:
    """Draws the variables of a model, a layer or a list of variables again, in place.

    Each variable of a model or layer gets new values by its own initializer. Variance-scaling
    initializers, stock or of tf_vsinit, draw with the op; on a CPU, it writes into the variable's
    own memory. The seed of each variable follows from `seed` and its path, as in `tf_vsinit.scope`:
    the values are those of a model that was made in a scope with this seed. It takes the place of a
    seed that an initializer was given. Variables that are not trainable and whose layer names no
    initializer, such as the state of a `Normalization` layer, stay as they are, and so do metrics
    and, without `reset_optimizer`, the optimizer.

    `reinitialize` checks all variables before it writes any.

    Args:
      target: a Keras model or layer whose variables have been made, a variable, or a sequence of
        variables.
      seed: a 64-bit integer. If None, Keras draws one, which `tf.keras.utils.set_random_seed` makes
        repeatable.
      initializer: an initializer, or its name in Keras. Required for variables that are passed
        alone; their path is then their name. For a model or layer, it takes the place of the
        variance-scaling initializers, and serves trainable variables whose layer names none.
      stream: `vsinit` or `tensorflow`; None means that of each initializer (stock: `vsinit`).
      reset_optimizer: whether the optimizer of a compiled model gets the slots and the step count
        of a new one. Its learning rate stays. This needs the memory of a second optimizer.

    Raises:
      ValueError: for an argument out of its range; for a trainable variable without an initializer;
        for a path that two variables share; for an optimizer that was built for other variables.
        The message names the variables.

    Example:

    >>> import tensorflow as tf
    >>> import tf_vsinit
    >>> model = tf.keras.Sequential([tf.keras.Input([8]), tf.keras.layers.Dense(4)])
    >>> tf_vsinit.reinitialize(model, seed=1)
    >>> with tf_vsinit.scope(seed=1):
    ...     again = tf.keras.Sequential([tf.keras.Input([8]), tf.keras.layers.Dense(4)])
    >>> bool(tf.reduce_all(model.weights[0] == again.weights[0]))
    True
    """
    arguments.checked_stream("vsinit" if stream is None else stream)
    if seed is None:
        seed, _ = initializers.HeNormal().next_seed()
    seed = arguments.checked_int_seed(seed)
    writes = [
        _write_of(record, paths.path_seed(seed, record.path), stream)
        for record in _checked_records(target, tf.keras.initializers.get(initializer))
    ]
    if reset_optimizer:
        _checked_optimizer(target)
        # Made after the other writes, because an optimizer may copy the variables.
        writes.append(lambda: _reset(*_checked_optimizer(target)))
    for write in writes:
        write()


def _checked_optimizer(target):
    """Returns the optimizer of a model, and a new one for the same variables."""
    optimizer = getattr(target, "optimizer", None)
    if optimizer is None or not hasattr(optimizer, "build"):
        raise ValueError(
            "Argument `reset_optimizer` needs a compiled model with an optimizer that has a method "
            f"`build`. Received: target={target!r} with the optimizer {optimizer!r}"
        )
    with tf.init_scope():
        new = type(optimizer).from_config(optimizer.get_config())
        # An optimizer that has not made a step may have no slots.
        if len(optimizer.variables) > len(new.variables):
            new.build(target.trainable_variables)
    if [v.shape for v in optimizer.variables] != [v.shape for v in new.variables]:
        raise ValueError(
            "Argument `reset_optimizer` must be False for an optimizer that was built for other "
            "variables than the trainable ones of the model. Compile the model again instead. "
            f"Received: reset_optimizer=True, optimizer={optimizer!r}"
        )
    return optimizer, new


def _reset(optimizer, new):
    for variable, start in zip(optimizer.variables, new.variables, strict=True):
        variable.assign(start)


def _checked_records(target, initializer) -> list[VariableRecord]:
    """Returns the variables to write, each with the initializer to use."""
    records = [
        _with_initializer(each, initializer)
        for each in variable_records(target)
        if each.initializer or not _is_state(each)
    ]
    if missing := [each.path for each in records if each.initializer is None]:
        raise ValueError(
            "Argument `initializer` must be given for variables whose initializer is not known: "
            f"{', '.join(missing)}. Received: initializer=None"
        )
    if shared := paths.repeated(each.path for each in records):
        raise ValueError(
            f"Argument `target` has variables of the same path, which would have the same values: "
            f"{', '.join(shared)}. Reinitialize them apart, each with a seed of its own."
        )
    return records


def _is_state(record):
    """Says whether a variable is the state of a layer, which the layer changes by itself."""
    return record.layer is not None and not record.variable.trainable


def _with_initializer(record, initializer):
    """Returns a record with `initializer` where it can take the place of the layer's own."""
    own = record.initializer
    fits = own is None or scopes.converted(own, "vsinit") is not None
    return dataclasses.replace(record, initializer=initializer) if initializer and fits else record


def _write_of(record, seed, stream):
    """Returns the function that gives a variable its new values."""
    variable, initializer = record.variable, record.initializer
    ours = scopes.converted(initializer, stream or "vsinit")
    if ours is None:
        return functools.partial(_assign, variable, _with_stock_seed(initializer, seed))
    ours = scopes.with_path_seed(ours, seed)
    if stream is not None:
        ours.stream = stream
    seed, options = ours.next_seed(), ours.draw_options()
    redraw.check(variable, seed, **options)
    return functools.partial(redraw.redraw, variable, seed, **options)


def _assign(variable, initializer):
    variable.assign(initializer(variable.shape, dtype=variable.dtype))


def _with_stock_seed(initializer, seed):
    """Returns a stock initializer that draws, with a seed in the range that Keras takes."""
    config = getattr(initializer, "get_config", dict)()
    if "seed" not in config:
        return initializer
    return type(initializer).from_config({**config, "seed": seed % (2**31 - 2)})
