"""ParameterServerStrategy: the shards of a variable equal the whole variable.

    python examples/parameter_server.py

starts two parameter servers, two workers and a coordinator on the loopback interface. The
coordinator makes a variable in shards, compares it with the whole variable and trains it.
"""

import functools
import sys

import local_processes

JOBS = {"ps": 2, "worker": 2}
SHAPE = (4001, 16)
STEPS = 100
LEARNING_RATE = 10.0


def main():
    """Starts the processes, waits for the coordinator and stops the servers."""
    cluster = local_processes.free_addresses(JOBS)
    servers = [
        local_processes.start_task(cluster, job, task)
        for job, count in JOBS.items()
        for task in range(count)
    ]
    coordinator = local_processes.start_task(cluster, "coordinator")
    sys.exit(local_processes.wait([coordinator], servers))


def serve(cluster, job, task):
    """Runs a parameter server or a worker. These are all the lines it needs."""
    import tensorflow as tf

    import tf_vsinit  # noqa: F401  The only extra line: it loads the op.

    server = tf.distribute.Server(cluster, job_name=job, task_index=task)
    # A real server calls server.join(). This one ends with the process that started it.
    sys.stdin.read()
    del server


def coordinate(cluster):
    """Makes an embedding in shards, compares it with the whole, and trains it on the workers."""
    import numpy as np
    import tensorflow as tf

    import tf_vsinit

    strategy = tf.distribute.ParameterServerStrategy(
        tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(cluster), rpc_layer="grpc"
        ),
        variable_partitioner=tf.distribute.experimental.partitioners.MinSizePartitioner(
            min_shard_bytes=64 << 10, max_shards=4
        ),
    )
    initializer = tf_vsinit.VarianceScaling(scale=2.0, seed=1)
    with strategy.scope():
        # With a shape and a partial function, TensorFlow asks the initializer for single shards.
        embedding = tf.Variable(
            functools.partial(initializer, SHAPE, dtype=tf.float32), shape=SHAPE, dtype=tf.float32
        )
    for shard in embedding.variables:
        print(f"{shard.shape!s:11} on {shard.device}")
    joined = np.concatenate([shard.numpy() for shard in embedding.variables])
    same = joined.tobytes() == initializer(SHAPE).numpy().tobytes()
    print(f"the shards against the whole variable {SHAPE}, the same bits: {same}")

    losses = train(strategy, embedding)
    print(f"loss {losses[0]:.4f} at the start, {losses[-1]:.4f} after {STEPS} steps")
    sys.exit(not same)


def train(strategy, embedding):
    """Trains every 40th row towards ones. The workers take the steps."""
    import tensorflow as tf

    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)

    def replica_step():
        with tf.GradientTape() as tape:
            rows = tf.nn.embedding_lookup(embedding, tf.range(0, SHAPE[0], 40))
            loss = tf.reduce_mean(tf.reduce_sum(tf.square(rows - 1.0), axis=1))
        gradients = tape.gradient(loss, embedding.variables)
        for shard, gradient in zip(embedding.variables, gradients, strict=True):
            shard.assign_sub(LEARNING_RATE * tf.convert_to_tensor(gradient))
        return loss

    step = tf.function(lambda: strategy.run(replica_step))
    losses = [coordinator.schedule(step) for _ in range(STEPS)]
    coordinator.join()
    return [float(loss.fetch()) for loss in losses]


if __name__ == "__main__":
    options = local_processes.task_options()
    if options.job is None:
        main()
    elif options.job == "coordinator":
        coordinate(options.cluster)
    else:
        serve(options.cluster, options.job, options.task)
