"""Drawing a variable as a DTensor: each device draws its own piece and nothing else."""

import tensorflow as tf
from tensorflow.dtensor.python import api as dtensor_api
from tensorflow.experimental import dtensor

from tf_vsinit import functional


def surrounding() -> dtensor.Layout | None:
    """Returns the layout that an enclosing `dtensor.call_with_layout` asks for, or None.

    DTensor gives its own ops this layout by itself. It knows nothing of ours, which would come out
    as an ordinary tensor, whole.
    """
    device = dtensor_api._dtensor_singleton
    text = None if device is None else device._current_output_layout
    return None if text is None else dtensor.Layout.from_string(text.decode())


def draw(shape, seed, layout, **options) -> tf.Tensor:
    """Draws the weights of `functional.stateless_variance_scaling` as a DTensor.

    Each local device of the mesh draws its own piece by a call of the op of its own; nothing larger
    is made. In a `tf.function` this happens once, while it is traced, and the function captures the
    result.

    Args:
      shape: shape of the whole variable, known when the call is made.
      seed: two integers, or a tensor whose value is known when the call is made. If the mesh spans
        several clients, all must make the call, with the same seed.
      layout: a `dtensor.Layout` or a `keras.distribution.TensorLayout`.
      **options: those of `stateless_variance_scaling`.

    Returns:
      A DTensor of that shape and layout.

    Raises:
      ValueError: if `layout` is of another type or rank, cuts an axis into unequal pieces or has
        no mesh of named dimensions, or if Keras does not make it one of DTensor's; if the shape or
        the seed is not known; if clients have different seeds; in a v1 graph.
    """
    layout = _as_dtensor_layout(layout)
    shape = functional.integer_vector("shape", shape)
    seed = functional.integer_vector("seed", seed)
    with tf.init_scope(), tf.device(None):
        _check_eager()
        _check_known("shape", shape)
        _check_known("seed", seed)
        _check_layout(layout, shape)
        _check_same_in_every_client(seed, layout.mesh.host_mesh())
        size = [extent // layout.num_shards(axis) for axis, extent in enumerate(shape)]
        pieces = [
            _draw_on(device, shape, seed, begin=_begin(shard, size), size=size, **options)
            for device, shard in _local_shards(layout)
        ]
        return dtensor.pack(pieces, layout)


def _as_dtensor_layout(layout):
    if isinstance(layout, dtensor.Layout):
        return layout
    # Keras 3 has this class and TF-Keras has not.
    keras_distribution = getattr(tf.keras, "distribution", None)
    if keras_distribution is None or not isinstance(layout, keras_distribution.TensorLayout):
        raise ValueError(
            "Argument `layout` must be a tf.experimental.dtensor.Layout, with Keras 3 also a "
            f"keras.distribution.TensorLayout, or None. Received: layout={layout!r}"
        )
    try:
        return layout.backend_layout
    except ValueError as error:
        raise ValueError(
            "Argument `layout` must be one that Keras can turn into a layout of DTensor's, but it "
            f"says: {error} Received: layout={layout!r}"
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
            "runs: the pieces are drawn when a tf.function is traced. Received: "
            f"{argument}={value!r}"
        )


def _check_layout(layout, shape):
    if not layout.mesh.local_devices() or dtensor.MATCH in layout.sharding_specs:
        raise ValueError(
            "Argument `layout` must say for each axis which mesh dimension cuts it, or that it is "
            f"dtensor.UNSHARDED, on a mesh of named dimensions. Received: layout={layout!r}"
        )
    if layout.rank != len(shape):
        raise ValueError(
            f"Argument `layout` must have one sharding spec for each of the {len(shape)} axes of "
            f"shape={list(shape)}. Received: layout={layout!r}"
        )
    for axis, extent in enumerate(shape):
        if extent % layout.num_shards(axis):
            raise ValueError(
                "Argument `layout` must cut every axis into equal pieces, as DTensor knows no "
                f"others, but axis {axis} of shape={list(shape)} has {extent} elements for "
                f"{layout.num_shards(axis)} shards. Received: layout={layout!r}"
            )


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


def _local_shards(layout):
    """Returns the local devices, in the mesh's order, with the index of each one's shard."""
    mesh, shards = layout.mesh, layout.offset_to_shard()
    first = mesh.min_global_device_id()
    ids = mesh.local_device_ids()
    return [
        (device, shards[number - first])
        for device, number in zip(mesh.local_devices(), ids, strict=True)
    ]


def _begin(shard, size):
    return [index * extent for index, extent in zip(shard, size, strict=True)]


def _draw_on(device, *args, **kwargs):
    with tf.device(device):
        return functional.stateless_variance_scaling(*args, **kwargs)
