"""MultiWorkerMirroredStrategy: the weights of every worker equal those of an undistributed model.

    python examples/multi_worker.py

starts two workers on the loopback interface. They make a model, compare its weights with those of
an undistributed model, and train it together.
"""

import json
import os
import sys

import local_processes

WORKERS = 2
STEPS = 60
BATCH = 48


def main():
    """Starts the workers and waits for them."""
    cluster = local_processes.free_addresses({"worker": WORKERS})
    sys.exit(local_processes.wait([start(cluster, task) for task in range(WORKERS)]))


def start(cluster, task):
    """Starts this program once more, as one worker."""
    config = {"cluster": cluster, "task": {"type": "worker", "index": task}}
    return local_processes.start_again(TF_CONFIG=json.dumps(config))


def work(task):
    """Makes the model, compares it and trains it. All workers run this function."""
    import tensorflow as tf

    import tf_vsinit

    strategy = tf.distribute.MultiWorkerMirroredStrategy()

    def make_kernel():
        return tf.keras.layers.Dense(8, kernel_initializer=tf_vsinit.HeNormal(seed=1))

    with strategy.scope():
        layer = make_kernel()
        layer.build((None, 16))
        # Each worker draws another seed here. The strategy copies the values of the first worker.
        unseeded = tf.Variable(lambda: tf_vsinit.HeNormal()([16, 8]))
    plain = make_kernel()
    plain.build((None, 16))
    same = layer.kernel.numpy().tobytes() == plain.kernel.numpy().tobytes()
    print(f"worker {task}: kernel of {layer.kernel.shape}, the same bits: {same}")
    print(f"worker {task}: first value of a variable without a seed: {unseeded.numpy()[0, 0]:+.6f}")

    losses = train(strategy, layer)
    print(f"worker {task}: loss {losses[0]:.3f} at the start, {losses[-1]:.3f} after {STEPS} steps")
    sys.exit(not same)


def train(strategy, layer):
    """Fits the layer to a linear map. Each worker sees its share of every batch."""
    import tensorflow as tf

    x = tf.random.stateless_normal([BATCH * STEPS, 16], [1, 2])
    y = x @ tf.random.stateless_normal([16, 8], [3, 4])
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)
    with strategy.scope():
        optimizer = tf.keras.optimizers.SGD(0.1)
        optimizer.build(layer.trainable_variables)

    @tf.function
    def step(inputs):
        def replica_step(x, y):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.square(layer(x) - y)) / BATCH
            gradients = tape.gradient(loss, layer.trainable_variables)
            optimizer.apply_gradients(zip(gradients, layer.trainable_variables, strict=True))
            return loss

        return strategy.reduce("sum", strategy.run(replica_step, args=inputs), axis=None)

    return [float(step(b)) for b in strategy.experimental_distribute_dataset(batches)]


if __name__ == "__main__":
    if "TF_CONFIG" in os.environ:
        work(json.loads(os.environ["TF_CONFIG"])["task"]["index"])
    else:
        main()
