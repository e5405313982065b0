"""One of two clients of a DTensor mesh, for distribute/layout_clients_test.

It prints its results as one line of JSON and waits until it is killed: the collectives of the other
client fail when it ends.
"""

import functools
import json
import sys

import numpy as np
import tensorflow as tf
from tensorflow.experimental import dtensor

import tf_vsinit
from tests.support import process_memory
from tf_vsinit import reference

SHAPE = [6, 4]
SPECS = (
    ["x", "y"],
    ["y", "x"],
    ["unsharded", "x"],
    ["y", "unsharded"],
    ["unsharded", "unsharded"],
)
# 512 MiB in float32.
LARGE = [8192, 16384]


def memory_of_a_large_variable(mesh):
    """Returns the rise of memory, divided by the whole variable, and the shapes of the shards."""
    draw = functools.partial(tf_vsinit.HeNormal(seed=1), layout=dtensor.Layout(["x", "y"], mesh))
    dtensor.unpack(draw([64, 64]))
    with process_memory.peak_rise() as rise:
        shards = dtensor.unpack(draw(LARGE))
    return rise["self"] / (4 * np.prod(LARGE) / 2**20), [list(shard.shape) for shard in shards]


def gathered(value):
    mesh = dtensor.fetch_layout(value).mesh
    replicated = dtensor.Layout.replicated(mesh, value.shape.rank)
    return dtensor.unpack(dtensor.relayout(value, replicated))[0].numpy()


def layouts_that_gather_to_the_whole(mesh):
    whole = reference.stateless_variance_scaling(SHAPE, [1, 0], scale=2.0)
    initializer = tf_vsinit.HeNormal(seed=1)
    same = [
        np.array_equal(gathered(initializer(SHAPE, layout=dtensor.Layout(specs, mesh))), whole)
        for specs in SPECS
    ]
    layout = dtensor.Layout(["x", "y"], mesh)
    with dtensor.default_mesh(mesh):
        same.append(np.array_equal(gathered(initializer(SHAPE, layout=layout)), whole))
    function = tf.function(lambda: initializer(SHAPE, layout=layout))
    same.append(np.array_equal(gathered(function()), whole))
    return same


def outcome(mesh, seed):
    """Returns the values that a seed gives, or the error."""
    layout = dtensor.Layout(["x", "y"], mesh)
    try:
        value = tf_vsinit.HeNormal(seed=seed)(SHAPE, layout=layout)
    except ValueError as error:
        return str(error)
    return gathered(value).tolist()


def main():
    client = int(sys.argv[1])
    dtensor.initialize_accelerator_system("CPU", num_logical_cpu_devices=2)
    mesh = dtensor.create_distributed_mesh([("x", 2), ("y", 2)], local_devices=["CPU:0", "CPU:1"])
    memory, shapes = memory_of_a_large_variable(mesh)
    results = dict(
        local_device_ids=mesh.local_device_ids(),
        memory=memory,
        shapes=shapes,
        same=layouts_that_gather_to_the_whole(mesh),
        differing=outcome(mesh, seed=10 + client),
        unseeded=outcome(mesh, seed=None),
    )
    tf.keras.utils.set_random_seed(3)
    results["seeded"] = outcome(mesh, seed=None)
    print(json.dumps(results), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
