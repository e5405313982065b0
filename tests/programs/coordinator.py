"""The coordinator of the cluster in distribute/parameter_server_test.

It makes variables in shards, trains with them, and writes its results to a folder. Its arguments
are the cluster, the process ids of the parameter servers, the folder, and the task.
"""

import functools
import json
import pathlib
import sys

import numpy as np
import tensorflow as tf

import tf_vsinit
from tests.support import process_memory

LEARNING_RATE = 0.03
STEPS = 120
LARGE = (8192, 8192)
PARTITIONERS = {
    "fixed": tf.distribute.experimental.partitioners.FixedShardsPartitioner(3),
    "min_size": tf.distribute.experimental.partitioners.MinSizePartitioner(1000, max_shards=5),
    "max_size": tf.distribute.experimental.partitioners.MaxSizePartitioner(2000),
}


def main(cluster, server_pids, folder, task):
    """Runs the task and writes report.json and the values of variables."""
    make_strategy = functools.partial(
        tf.distribute.ParameterServerStrategy,
        tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(json.loads(cluster)), rpc_layer="grpc"
        ),
    )
    folder = pathlib.Path(folder)
    if task == "error":
        strategy = make_strategy(PARTITIONERS["fixed"])
        initializer = tf_vsinit.HeNormal(seed=1)
        report = {
            "eager": error_of(lambda: make_bare(strategy, initializer, [10, 6])),
            "function": error_of(lambda: draw_in_function(initializer, "/job:ps/task:1")),
        }
    else:
        report = {"memory": memory(make_strategy(PARTITIONERS["fixed"]), json.loads(server_pids))}
        for name, partitioner in PARTITIONERS.items():
            report[name] = save_variables(make_strategy(partitioner), folder / f"{name}.npz")
        report["training"] = {
            name: train(make_strategy(partitioner), step)
            for name, partitioner, step in (
                ("whole", None, optimizer_step),
                ("shards", PARTITIONERS["fixed"], optimizer_step),
                ("shards_by_hand", PARTITIONERS["fixed"], gradient_step),
            )
        }
        report["errors"] = bad_variables(make_strategy(PARTITIONERS["fixed"]))
        for name, partitioner in (("fit", PARTITIONERS["fixed"]), ("fit_whole", None)):
            report["training"][name] = fit(make_strategy(partitioner))
    (folder / "report.json").write_text(json.dumps(report))


def memory(strategy, server_pids):
    """Returns by how many MiB the memory of each process rises for each large variable."""
    pids = {"coordinator": "self", **{f"ps{i}": pid for i, pid in enumerate(server_pids)}}
    initializer = tf_vsinit.HeNormal(seed=1)
    make_bare(strategy, initializer, [8, 8])
    dense = tf.keras.layers.Dense(LARGE[1], use_bias=False, kernel_initializer=initializer)
    ways = {
        "bare": lambda: make_bare(strategy, initializer, LARGE),
        "dense": lambda: dense.build((None, LARGE[0])),
        "function_of_nothing": lambda: tf.Variable(
            lambda: initializer(LARGE), shape=LARGE, dtype=tf.float32
        ),
        "no_shape": lambda: tf.Variable(lambda: initializer(LARGE)),
    }
    # Keeps all variables, so that none reuses the memory of another.
    kept, rises = [], {}
    for name, make in ways.items():
        with process_memory.peak_rise(*pids.values()) as rise, strategy.scope():
            kept.append(make())
        rises[name] = {process: rise[pid] for process, pid in pids.items()}
    return rises


def make_bare(strategy, initializer, shape, dtype=tf.float32):
    """Makes a variable from a function of the shard, with its shape, as TensorFlow asks for it."""
    with strategy.scope():
        return tf.Variable(
            functools.partial(initializer, shape, dtype=dtype), shape=shape, dtype=dtype
        )


def save_variables(strategy, path):
    """Makes variables and saves their joined values. Returns the devices of the shards of each."""
    with strategy.scope():
        dense = tf.keras.layers.Dense(24, kernel_initializer=tf_vsinit.GlorotUniform(seed=2))
        dense.build((None, 37))
        embedding = tf.keras.layers.Embedding(
            1000, 16, embeddings_initializer=tf_vsinit.LecunNormal(seed=3)
        )
        embedding.build((None,))
    unseeded = tf_vsinit.VarianceScaling(distribution="untruncated_normal")
    variables = {
        "bare": make_bare(strategy, tf_vsinit.HeNormal(seed=1), [1003, 40]),
        "bfloat16": make_bare(strategy, tf_vsinit.HeUniform(seed=4), [50, 6, 7], tf.bfloat16),
        "like_stock": make_bare(
            strategy, tf_vsinit.GlorotNormal(seed=5, stream="tensorflow"), [203, 40]
        ),
        "unseeded": make_bare(strategy, unseeded, [999]),
        "dense": dense.kernel,
        "embedding": embedding.embeddings,
    }
    shards = {name: shards_of(variable) for name, variable in variables.items()}
    values = {name: np.concatenate([s.numpy() for s in parts]) for name, parts in shards.items()}
    values["bfloat16"] = values["bfloat16"].view(np.uint16)
    np.savez(path, **values, unseeded_whole=unseeded([999]).numpy())
    return {name: [shard.device for shard in parts] for name, parts in shards.items()}


def shards_of(variable):
    """Returns the TensorFlow variables that make up a variable of TensorFlow or Keras."""
    value = getattr(variable, "value", variable)
    value = variable if callable(value) else value
    return list(getattr(value, "variables", [value]))


def make_model():
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(
                16, "relu", kernel_initializer=tf_vsinit.HeNormal(seed=1), name="hidden"
            ),
            tf.keras.layers.Dense(1, kernel_initializer=tf_vsinit.GlorotUniform(seed=2)),
        ]
    )
    model.build((None, 8))
    return model


def dataset():
    x = tf.random.stateless_normal([256, 8], [1, 2])
    return tf.data.Dataset.from_tensor_slices((x, tf.reduce_sum(x, 1, keepdims=True))).batch(32)


def optimizer_step(model, optimizer, loss_of):
    with tf.GradientTape() as tape:
        loss = loss_of()
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


def gradient_step(model, optimizer, loss_of):
    del optimizer
    shards = [shard for variable in model.trainable_variables for shard in shards_of(variable)]
    with tf.GradientTape() as tape:
        loss = loss_of()
    for shard, gradient in zip(shards, tape.gradient(loss, shards), strict=True):
        shard.assign_sub(LEARNING_RATE * gradient)
    return loss


def train(strategy, take_step):
    """Trains on the workers. Returns the losses, or the error."""
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    with strategy.scope():
        model = make_model()
        optimizer = tf.keras.optimizers.SGD(LEARNING_RATE)
        if hasattr(optimizer, "build"):
            optimizer.build(model.trainable_variables)

    @tf.function
    def step(iterator):
        def replica_step(x, y):
            return take_step(
                model, optimizer, lambda: tf.reduce_mean(tf.square(model(x, training=True) - y))
            )

        return strategy.run(replica_step, args=next(iterator))

    batches = iter(coordinator.create_per_worker_dataset(lambda: dataset().repeat()))
    losses = []

    def run():
        losses.extend(coordinator.schedule(step, args=(batches,)) for _ in range(STEPS))
        coordinator.join()

    error = error_of(run)
    return {"error": error} if error else {"losses": [float(loss.fetch()) for loss in losses]}


def fit(strategy):
    """Trains with `Model.fit`. Returns the losses, or the error."""
    with strategy.scope():
        model = make_model()
        model.compile(tf.keras.optimizers.SGD(LEARNING_RATE), "mse")
    error = error_of(lambda: model.fit(dataset().repeat(), steps_per_epoch=8, epochs=15, verbose=0))
    return {"error": error} if error else {"losses": model.history.history["loss"]}


def bad_variables(strategy):
    """Returns the errors of variables whose shards cannot join to one variable."""
    errors = {}
    shape_of_another = functools.partial(tf_vsinit.HeNormal(seed=1), [10, 6], dtype=tf.float32)
    with strategy.scope():
        errors["shape"] = error_of(
            lambda: tf.Variable(shape_of_another, shape=[12, 6], dtype=tf.float32)
        )
    if hasattr(tf.keras, "random"):
        generator = tf.keras.random.SeedGenerator(5)
        initializer = tf_vsinit.HeNormal(seed=generator)
        errors["seed_generator"] = error_of(lambda: make_bare(strategy, initializer, [10, 6]))
    return errors


def draw_in_function(initializer, device):
    with tf.device(device):
        return tf.function(lambda: initializer([10, 6]))()


def error_of(action):
    """Returns the type and the message of the error that an action raises, or None."""
    try:
        action()
    except Exception as error:  # noqa: BLE001  (the test checks the type)
        return f"{type(error).__name__}: {error}"
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
