"""keras.distribution on TensorFlow: Keras 3 layers whose kernels are sharded over a mesh.

On this backend, Keras passes no layout to initializers. So this program does.

python examples/keras_distribution.py
"""

import functools
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from tensorflow.experimental import dtensor

import tf_vsinit

STEPS = 20


def make_model(first, second):
    """Returns a model of two layers."""
    return keras.Sequential(
        [
            keras.Input([32]),
            keras.layers.Dense(64, activation="relu", kernel_initializer=first, name="first"),
            keras.layers.Dense(8, kernel_initializer=second, name="second"),
        ]
    )


def train(model, inputs, targets):
    """Trains a model. Returns the loss of the last step."""
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(inputs) - targets) ** 2)
        variables = [variable.value for variable in model.trainable_variables]
        optimizer.apply(tape.gradient(loss, variables))
        return loss

    return float([step() for _ in range(STEPS)][-1])


def main():
    """Trains a model with whole kernels, and again with kernels sharded over eight devices."""
    dtensor.initialize_accelerator_system("CPU", num_logical_cpu_devices=8)
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(64, 32)).astype(np.float32)
    targets = np.sin(inputs[:, :8])
    first, second = tf_vsinit.HeNormal(seed=2), tf_vsinit.LecunNormal(seed=3)
    whole = train(make_model(first, second), inputs, targets)

    devices = keras.distribution.DeviceMesh((2, 4), ["batch", "model"])
    columns = keras.distribution.TensorLayout([None, "model"], devices)
    rows = keras.distribution.TensorLayout(["model", None], devices)
    by_example = keras.distribution.TensorLayout(["batch", None], devices).backend_layout
    # Without a default mesh, Keras copies the DTensors into ordinary variables.
    with dtensor.default_mesh(devices.backend_mesh):
        model = make_model(
            functools.partial(first, layout=columns), functools.partial(second, layout=rows)
        )
        for layer in model.layers:
            shards = dtensor.unpack(layer.kernel.value.read_value())
            print(f"{layer.kernel.path}: {layer.kernel.shape} in shards of {shards[0].shape}")
        sharded = train(
            model, dtensor.relayout(inputs, by_example), dtensor.relayout(targets, by_example)
        )
    print(f"loss after {STEPS} steps: {whole:.4f} whole, {sharded:.4f} sharded")


if __name__ == "__main__":
    main()
