"""One process of the cluster in compat_v1/cluster_test: a parameter server or the worker.

The jobs are `ps`, two parameter servers that load the library; `stranger`, a server that does not;
and `worker`, the chief, which writes its results to a folder.
"""

import importlib
import json
import sys

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1

GRAPH_SEED = 1
SHAPES = {"rows": (1200, 40), "columns": (30, 1000), "large": (1600, 2048)}
AXES = {"rows": 0, "columns": 1, "large": 0}
OP_TYPE = "VsinitStatelessVarianceScaling"


def serve(cluster, job):
    """Serves until standard input is closed, so that no server outlives the test."""
    if job != "stranger":
        importlib.import_module("tf_vsinit")
    server = tf1.train.Server(cluster, job_name=job, task_index=int(sys.argv[3]))
    sys.stdin.read()
    del server


def work(cluster, folder):
    server = tf1.train.Server(cluster, job_name="worker", task_index=0)
    report = {}
    for use_resource in (False, True):
        scope = "resource" if use_resource else "reference"
        np.savez(f"{folder}/{scope}_whole.npz", **whole_variables(use_resource))
        shards, report[scope] = train(server, scope, use_resource)
        np.savez(f"{folder}/{scope}_shards.npz", **shards)
    report["error"] = error_of_stranger(server)
    with open(f"{folder}/report.json", "w") as file:
        json.dump(report, file)


def make_variables(scope, use_resource, number_of_shards=None):
    """Returns variables by name. Some have no seed of their own."""
    v1 = importlib.import_module("tf_vsinit.compat.v1")
    initializers = {
        "rows": v1.he_normal(),
        "columns": v1.glorot_uniform_initializer(),
        "large": v1.lecun_normal(seed=3),
    }
    variables = {}
    tf1.set_random_seed(GRAPH_SEED)
    with tf1.variable_scope(scope, use_resource=use_resource):
        for name, shape in SHAPES.items():
            partitioner = number_of_shards and tf1.fixed_size_partitioner(
                number_of_shards, AXES[name]
            )
            variables[name] = tf1.get_variable(
                name, shape, initializer=initializers[name], partitioner=partitioner
            )
    return variables


def whole_variables(use_resource):
    """Returns the values without a cluster and without partitions."""
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = make_variables("local", use_resource)
        session.run(tf1.global_variables_initializer())
        return session.run(variables)


def train(server, scope, use_resource):
    """Trains on the cluster. Returns the initial values of all shards, and a report."""
    cluster = server.server_def.cluster
    jobs = tf1.train.ClusterSpec(cluster).as_dict()
    setter = tf1.train.replica_device_setter(
        cluster={job: jobs[job] for job in ("ps", "worker")},
    )
    with tf.Graph().as_default():
        with tf1.device(setter):
            variables = make_variables(scope, use_resource, number_of_shards=3)
            inputs = tf.cast(tf.range(30)[None] % 7, tf.float32) / 30
            outputs = inputs @ tf.convert_to_tensor(variables["columns"])
            loss = tf.reduce_mean(tf.square(outputs - 1.0))
            step = tf1.train.get_or_create_global_step()
            train_op = tf1.train.GradientDescentOptimizer(1000.0).minimize(loss, step)
        shards = {shard.op.name: shard for name in SHAPES for shard in variables[name]}
        losses = []
        with tf1.train.MonitoredTrainingSession(
            server.target, hooks=[tf1.train.StopAtStepHook(last_step=20)]
        ) as session:
            values = session.run_step_fn(lambda step_context: step_context.session.run(shards))
            while not session.should_stop():
                losses.append(float(session.run([loss, train_op])[0]))
        return values, {
            "losses": losses,
            "devices": {name: shard.device for name, shard in shards.items()},
            "drawn_on": devices_that_draw(server, list(shards.values())),
        }


def devices_that_draw(server, shards):
    """Returns the device that draws each shard."""
    config = tf1.ConfigProto()
    # Without optimisation: it would turn the draw of a small shard into a constant.
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = tf1.OptimizerOptions.L0
    options = tf1.RunOptions(trace_level=tf1.RunOptions.FULL_TRACE)
    metadata = tf1.RunMetadata()
    with tf1.Session(server.target, config=config) as session:
        session.run([s.initializer for s in shards], options=options, run_metadata=metadata)
    return {
        node.node_name.split("/Initializer/")[0]: device.device
        for device in metadata.step_stats.dev_stats
        for node in device.node_stats
        if node.node_name.endswith("/Initializer/" + OP_TYPE)
    }


def error_of_stranger(server):
    """Returns the type and the message of the error of a server without the library."""
    with tf.Graph().as_default():
        with tf1.device("/job:stranger/task:0"):
            make_variables("lost", use_resource=True)
        try:
            with tf1.train.MonitoredTrainingSession(server.target):
                return None
        except tf.errors.OpError as error:
            return [type(error).__name__, error.message]


if __name__ == "__main__":
    if sys.argv[2] == "worker":
        work(json.loads(sys.argv[1]), sys.argv[3])
    else:
        serve(json.loads(sys.argv[1]), sys.argv[2])
