"""Draws a DTensor, or a DTensor variable again: each device draws its own shard only."""

from typing import Any

import tensorflow as tf
from tensorflow.experimental import dtensor

from tf_vsinit import _tensorflow_private, arguments, functional
from tf_vsinit.box import Box, make_box


def surrounding() -> dtensor.Layout | None:
    """Returns the layout that an enclosing `dtensor.call_with_layout` asks for, or None.

    DTensor applies this layout to its own ops. It does not know our op, whose output would be an
    ordinary tensor of the whole variable.
    """
    text = _tensorflow_private.current_dtensor_layout()
    return None if text is None else dtensor.Layout.from_string(text)


def draw(shape: Any, seed: Any, layout: Any, **options: Any) -> tf.Tensor:
    """Draws the weights of `functional.stateless_variance_scaling` as a DTensor.

    Each local device of the mesh draws its own shard with its own call of the op; nothing larger is
    made. In a `tf.function` this happens once, when the function is traced, and the function
    captures the result.

    Args:
      shape: shape of the whole variable, known when the call is made.
      seed: two integers, or a tensor whose value is known when the call is made. If the mesh spans
        several clients, each of them must make the call, with the same seed.
      layout: a `dtensor.Layout` or a `keras.distribution.TensorLayout`.
      **options: the other options of `stateless_variance_scaling`.

    Returns:
      A DTensor of that shape and layout.

    Raises:
      ValueError: if `layout` is of another type or rank, cuts an axis into unequal shards or has
        no mesh of named dimensions, or if Keras cannot make a layout of DTensor's from it; if the
        shape or the seed is not known; if clients have different seeds; in a v1 graph.
    """
    layout = _as_dtensor_layout(layout)
    shape = make_box(shape).shape
    seed = arguments.checked_seed(seed)
    with tf.init_scope(), tf.device(None):
        _check_eager()
        _check_known("shape", shape)
        _check_known("seed", seed)
        _check_layout(layout, shape)
        _check_same_in_every_client(seed, layout.mesh.host_mesh())
        shards = []
        for device, box in _local_boxes(layout, shape):
            with tf.device(device):
                shards.append(functional.draw(box, seed, **options))
        return dtensor.pack(shards, layout)


def redraw(variable: tf.Variable, seed: Any, **options: Any) -> tf.Operation | None:
    """Assigns to a DTensor variable the values that `draw` draws for its shape and layout.

    Not in place: DTensor runs its ops in the background, and they do not wait for an op that writes
    into a shard.

    Args:
      variable: a variable whose handle is a DTensor, such as a `DVariable`.
      seed: as for `draw`.
      **options: as for `draw`.

    Returns:
      None in eager mode; in a `tf.function`, an operation.

    Raises:
      ValueError: as for `draw`.
    """
    with tf.init_scope():
        layout = dtensor.fetch_layout(variable.handle)
    shape = make_box(variable.shape).shape
    return variable.assign(draw(shape, seed, layout, **options), read_value=False)


def _as_dtensor_layout(layout):
    if isinstance(layout, dtensor.Layout):
        return layout
    # Keras 3 has this module, tf_keras does not.
    keras_distribution = getattr(tf.keras, "distribution", None)
    if keras_distribution is None or not isinstance(layout, keras_distribution.TensorLayout):
        must = (
            "be a tf.experimental.dtensor.Layout, with Keras 3 also a "
            "keras.distribution.TensorLayout, or None"
        )
        raise arguments.argument_error("layout", must, layout)
    try:
        return layout.backend_layout
    except ValueError as error:
        raise ValueError(
            "Argument `layout` must be one that Keras can turn into a layout of DTensor's, but "
            f"Keras says: {error} Received: layout={layout!r}"
        ) from None


def _check_eager():
    if not tf.executing_eagerly():
        raise ValueError(
            "Argument `layout` must be None in a v1 graph: DTensor works in eager mode and in "
            "tf.function only."
        )


def _check_known(argument, value):
    if tf.is_symbolic_tensor(value):
        raise ValueError(
            f"Argument `layout` must be None where the {argument} is not known until the graph "
            "runs: the shards are drawn when a tf.function is traced. Received: "
            f"{argument}={value!r}"
        )


def _check_layout(layout, shape):
    if not layout.mesh.local_devices() or dtensor.MATCH in layout.sharding_specs:
        must = (
            "name for each axis the mesh dimension that cuts it, or dtensor.UNSHARDED, on a mesh "
            "of named dimensions"
        )
        raise arguments.argument_error("layout", must, layout)
    if layout.rank != len(shape):
        must = f"have one sharding spec for each of the {len(shape)} axes of shape={list(shape)}"
        raise arguments.argument_error("layout", must, layout)
    for axis, extent in enumerate(shape):
        if extent % layout.num_shards(axis):
            must = (
                "cut every axis into equal shards, the only ones that DTensor has; axis "
                f"{axis} of shape={list(shape)} has {extent} elements for "
                f"{layout.num_shards(axis)} shards"
            )
            raise arguments.argument_error("layout", must, layout)


def _check_same_in_every_client(seed, mesh):
    """Raises ValueError in each client of the mesh if there are several and their seeds differ."""
    if mesh.num_local_devices() == mesh.size:
        return
    row = tf.constant(seed, tf.int64, [1] * len(mesh.dim_names) + [2])
    layout = dtensor.Layout([*mesh.dim_names, dtensor.UNSHARDED], mesh)
    rows = dtensor.pack([row] * mesh.num_local_devices(), layout)
    rows = dtensor.relayout(rows, dtensor.Layout.replicated(mesh, layout.rank))
    seeds = set(map(tuple, tf.reshape(dtensor.unpack(rows)[0], [-1, 2]).numpy().tolist()))
    if len(seeds) > 1:
        raise ValueError(
            "Argument `seed` must be the same in every client of a DTensor mesh: pass an integer, "
            "or call tf.keras.utils.set_random_seed in every client. Received: "
            f"seeds={sorted(seeds)}"
        )


def _local_boxes(layout, shape):
    """Returns each local device, in the mesh's order, with the box of its shard."""
    mesh, shards = layout.mesh, layout.offset_to_shard()
    first = mesh.min_global_device_id()
    size = tuple(extent // layout.num_shards(axis) for axis, extent in enumerate(shape))
    boxes = []
    for device, number in zip(mesh.local_devices(), mesh.local_device_ids(), strict=True):
        places = zip(shards[number - first], size, strict=True)
        boxes.append((device, Box(shape, tuple(place * n for place, n in places), size)))
    return boxes
