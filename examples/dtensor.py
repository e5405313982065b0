"""DTensor: each device of a mesh draws its own shard, and every layout has the same values.

python examples/dtensor.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from tensorflow.experimental import dtensor

import tf_vsinit

SHAPE = (512, 1024)
SPECS = (
    ["unsharded", "unsharded"],
    ["batch", "unsharded"],
    ["unsharded", "model"],
    ["model", "batch"],
)
STEPS = 20


def make_mesh():
    """Returns a mesh of 2 by 4 logical CPU devices."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 8)
    devices = [f"CPU:{number}" for number in range(8)]
    return dtensor.create_mesh([("batch", 2), ("model", 4)], devices=devices)


def gather(value):
    """Returns the whole of a DTensor as an array."""
    replicated = dtensor.Layout.replicated(dtensor.fetch_layout(value).mesh, value.shape.rank)
    return dtensor.unpack(dtensor.relayout(value, replicated))[0].numpy()


def compare_layouts(mesh):
    """Draws one variable in several layouts and compares each with the whole variable."""
    initializer = tf_vsinit.HeNormal(seed=1)
    whole = initializer(SHAPE).numpy()
    for spec in SPECS:
        variable = dtensor.DVariable(initializer(SHAPE, layout=dtensor.Layout(spec, mesh)))
        shards = dtensor.unpack(variable.read_value())
        same = np.array_equal(gather(variable.read_value()), whole)
        print(f"{', '.join(spec):22} shards of {shards[0].shape}, the same bits: {same}")


def train(inputs, targets, kernels):
    """Trains two layers. Returns the loss of the last step."""

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            hidden = tf.nn.relu(inputs @ kernels[0])
            loss = tf.reduce_mean((hidden @ kernels[1] - targets) ** 2)
        for kernel, gradient in zip(kernels, tape.gradient(loss, kernels), strict=True):
            kernel.assign_sub(0.1 * gradient)
        return loss

    return float([step() for _ in range(STEPS)][-1])


def compare_training(mesh):
    """Trains with whole and with sharded kernels, and prints both losses."""
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(64, 32)).astype(np.float32)
    targets = np.sin(inputs[:, :8])
    first, second = tf_vsinit.HeNormal(seed=2), tf_vsinit.LecunNormal(seed=3)
    whole = train(inputs, targets, [tf.Variable(first([32, 64])), tf.Variable(second([64, 8]))])

    by_example = dtensor.Layout(["batch", "unsharded"], mesh)
    columns = dtensor.Layout(["unsharded", "model"], mesh)
    rows = dtensor.Layout(["model", "unsharded"], mesh)
    with dtensor.default_mesh(mesh):
        sharded = train(
            dtensor.relayout(inputs, by_example),
            dtensor.relayout(targets, by_example),
            [
                dtensor.DVariable(first([32, 64], layout=columns)),
                dtensor.DVariable(second([64, 8], layout=rows)),
            ],
        )
    print(f"loss after {STEPS} steps: {whole:.4f} whole, {sharded:.4f} sharded")


def main():
    """Compares the values in several layouts, then the training."""
    mesh = make_mesh()
    compare_layouts(mesh)
    compare_training(mesh)


if __name__ == "__main__":
    main()
