"""TensorFlow 1 parameter servers: the shards of a variable equal the whole variable.

    python examples/compat_v1_cluster.py

starts two parameter servers and a worker on the loopback interface. The worker trains a small
regression and compares the initial values of the shards with those of the whole variable.
"""

import sys

import local_processes

JOBS = {"ps": 2, "worker": 1}
STEPS = 50
SHAPE = (16, 4000)


def main():
    """Starts the processes, waits for the worker and stops the servers."""
    cluster = local_processes.free_addresses(JOBS)
    servers = [local_processes.start_task(cluster, "ps", task) for task in range(JOBS["ps"])]
    worker = local_processes.start_task(cluster, "worker")
    sys.exit(local_processes.wait([worker], servers))


def serve(cluster, job, task):
    """Runs a parameter server. These are all the lines it needs."""
    import tensorflow as tf

    import tf_vsinit  # noqa: F401  The only extra line: it loads the op.

    server = tf.compat.v1.train.Server(cluster, job_name=job, task_index=task)
    # A real server calls server.join(). This one ends with the process that started it.
    sys.stdin.read()
    del server


def work(cluster):
    """Trains a partitioned variable, then compares its initial values with the whole variable."""
    import numpy as np
    import tensorflow as tf

    tf1 = tf.compat.v1
    server = tf1.train.Server(cluster, job_name="worker", task_index=0)
    with tf.Graph().as_default():
        with tf1.device(tf1.train.replica_device_setter(cluster=cluster)):
            kernel = make_kernel(tf1.fixed_size_partitioner(4, axis=1))
            inputs = tf.random.stateless_uniform([32, SHAPE[0]], seed=[1, 2])
            loss = tf.reduce_mean(tf.square(inputs @ tf.convert_to_tensor(kernel) - 1.0))
            step = tf1.train.get_or_create_global_step()
            train = tf1.train.GradientDescentOptimizer(200.0).minimize(loss, step)
        shards = list(kernel)
        with tf1.train.MonitoredTrainingSession(
            server.target, hooks=[tf1.train.StopAtStepHook(last_step=STEPS)]
        ) as session:
            # Read the initial values. run_step_fn does not run the hooks, so this is not a step.
            values = session.run_step_fn(lambda step_context: step_context.session.run(shards))
            losses = []
            while not session.should_stop():
                losses.append(session.run([loss, train])[0])

    with tf.Graph().as_default(), tf1.Session() as session:
        whole = make_kernel(partitioner=None)
        session.run(whole.initializer)
        expected = session.run(whole)

    for shard, value in zip(shards, values, strict=True):
        print(f"{shard.name:18} {value.shape!s:12} on {shard.device}")
    same = np.concatenate(values, axis=1).tobytes() == expected.tobytes()
    print(f"the shards against the whole variable {expected.shape}, the same bits: {same}")
    print(f"loss {losses[0]:.4f} at the start, {losses[-1]:.4f} after {len(losses)} steps")
    sys.exit(not same)


def make_kernel(partitioner):
    """Returns the variable, whole or in shards. Its seed follows from the seed of the graph."""
    import tensorflow as tf

    from tf_vsinit.compat import v1

    tf.compat.v1.set_random_seed(2015)
    return tf.compat.v1.get_variable(
        "kernel", SHAPE, initializer=v1.he_normal(), partitioner=partitioner
    )


if __name__ == "__main__":
    options = local_processes.task_options()
    if options.job is None:
        main()
    elif options.job == "ps":
        serve(options.cluster, options.job, options.task)
    else:
        work(options.cluster)
