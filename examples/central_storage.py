"""CentralStorageStrategy: several replicas share one copy of each weight, with the usual values.

python examples/central_storage.py
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

import tf_vsinit

REPLICAS = 3
STEPS = 60
LEARNING_RATE = 0.03


def main():
    """Makes a variable on the parameter device, checks its bits, and trains it on all replicas."""
    # Three logical devices on one CPU take the place of three GPUs.
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration() for _ in range(REPLICAS)],
    )
    devices = [f"/device:CPU:{i}" for i in range(REPLICAS)]
    strategy = tf.distribute.experimental.CentralStorageStrategy(
        compute_devices=devices, parameter_device=devices[0]
    )
    initializer = tf_vsinit.HeNormal(seed=1)
    with strategy.scope():
        kernel = tf.Variable(lambda: initializer([16, 4]))
    expected = initializer([16, 4]).numpy()
    same = kernel.numpy().tobytes() == expected.tobytes()
    print(f"{kernel.shape} on {kernel.device[-5:]}, the same bits: {same}")

    drawn = strategy.experimental_local_results(strategy.run(lambda: initializer([16, 4])))
    all_drawn_same = all(np.array_equal(values, expected) for values in drawn)
    print(f"drawn on each of {len(drawn)} replicas, the same bits: {all_drawn_same}")

    losses = train(strategy, kernel)
    print(f"loss {losses[0]:.3f} at the start, {losses[-1]:.3f} after {STEPS} steps")
    sys.exit(not (same and all_drawn_same))


def train(strategy, kernel):
    """Fits a linear map by gradient descent. Each replica sees its own examples."""
    x = tf.random.stateless_normal([REPLICAS, 32, 16], [1, 2])
    y = x @ tf.random.stateless_normal([16, 4], [3, 4])

    def replica_gradient():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.gather(x, replica) @ kernel - tf.gather(y, replica)))
        return loss, tape.gradient(loss, kernel)

    @tf.function
    def step():
        loss, gradient = strategy.run(replica_gradient)
        kernel.assign_sub(LEARNING_RATE * strategy.reduce("sum", gradient, axis=None))
        return strategy.reduce("mean", loss, axis=None)

    return [float(step()) for _ in range(STEPS)]


if __name__ == "__main__":
    main()
