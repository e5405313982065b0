"""How the activations and gradients of a model spread from layer to layer, and a picture of it."""

import contextlib
import dataclasses
import functools
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vsinit import paths

# The most names of layers that fit below the picture.
_NAMES_SHOWN = 40


@dataclasses.dataclass(frozen=True)
class LayerSpread:
    """The standard deviations at the output of a layer; None where they are not finite."""

    path: str
    activation_stddev: float | None
    # None, too, if the model's outputs do not depend on the layer's.
    gradient_stddev: float | None


def layer_spreads(model: Any, sample: Any) -> list[LayerSpread]:
    """Calls a model; returns the spread at each layer that has variables, in the order of calls.

    Activations are the first outputs of a layer, in all its calls. Gradients are those of the sum
    of squares of the model's outputs.
    """
    layers = list(model._flatten_layers())
    tree = paths.LayerTree(layers)
    with tf.GradientTape() as tape, contextlib.ExitStack() as stack:
        found: dict[str, list[tf.Tensor]] = {}
        for layer in layers:
            if tree.counts(layer) and layer.weights:
                stack.enter_context(_recorded(layer, tree.path(layer), found, tape))
        outputs = tf.nest.flatten(_called(model, sample))
        loss = tf.add_n([tf.reduce_sum(tf.cast(output, tf.float64) ** 2) for output in outputs])
    gradients = tape.gradient(loss, found)
    return [LayerSpread(path, _stddev(found[path]), _stddev(gradients[path])) for path in found]


def write_picture(spreads: Sequence[LayerSpread], path: str | os.PathLike) -> None:
    """Writes a PNG with the spread of activations above that of gradients."""
    figure = matplotlib_figure().Figure(
        figsize=(max(6, 0.3 * min(len(spreads), _NAMES_SHOWN)), 7), layout="constrained"
    )
    names = [each.path for each in spreads]
    step = math.ceil(len(names) / _NAMES_SHOWN) or 1
    panels = {
        "activations": [each.activation_stddev for each in spreads],
        "gradients": [each.gradient_stddev for each in spreads],
    }
    for axes, (title, stddevs) in zip(
        figure.subplots(2, 1, sharex=True), panels.items(), strict=True
    ):
        axes.plot([math.nan if each is None else each for each in stddevs], marker="o")
        axes.set_yscale("log")
        axes.set_ylabel("standard deviation")
        axes.set_title(f"{title} at the output of each layer")
        axes.grid(alpha=0.3)
    axes.set_xticks(range(0, len(names), step), names[::step], rotation=90)
    figure.savefig(path, format="png", dpi=120)


def matplotlib_figure() -> Any:
    """Returns `matplotlib.figure`, which only pictures need."""
    try:
        import matplotlib.figure
    except ImportError as error:
        raise ImportError(
            "Argument `sample` needs Matplotlib, for the picture: pip install matplotlib"
        ) from error
    return matplotlib.figure


@contextlib.contextmanager
def _recorded(layer, path, found, tape) -> Iterator[None]:
    """Within it, `found[path]` gets the first output of each call of a layer."""
    of_object = vars(layer)
    before = {"call": of_object["call"]} if "call" in of_object else {}
    call = layer.call

    @functools.wraps(call)
    def recording_call(*args, **kwargs):
        outputs = call(*args, **kwargs)
        first = tf.nest.flatten(outputs)[0]
        # A layer may call others in a graph, such as the loop of a recurrent layer.
        if tf.is_tensor(first) and first.dtype.is_floating and not tf.is_symbolic_tensor(first):
            tape.watch(first)
            found.setdefault(path, []).append(first)
        return outputs

    # Not by `setattr`, with which Keras would track the function.
    of_object["call"] = recording_call
    try:
        yield
    finally:
        del of_object["call"]
        of_object.update(before)


def _called(model, sample):
    try:
        return model(sample)
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        shapes = tf.nest.map_structure(np.shape, sample)
        raise ValueError(
            "Argument `sample` must be a batch of inputs that the model can be called with. "
            f"Received one of shape {shapes}: {error}"
        ) from error


def _stddev(tensors):
    known = [np.ravel(tf.cast(each, tf.float64)) for each in tensors if each is not None]
    with np.errstate(invalid="ignore"):  # Infinities.
        stddev = float(np.std(np.concatenate(known))) if known else math.nan
    return stddev if math.isfinite(stddev) else None
