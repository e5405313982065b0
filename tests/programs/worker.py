"""A worker of the cluster in distribute/multi_worker_test. It writes its results to a folder.

TensorFlow reads from TF_CONFIG the addresses of the workers and the number of this one.
"""

import json
import os
import pathlib
import sys

import numpy as np
import tensorflow as tf

import tf_vsinit
from tests.programs import coordinator

STEPS = 60


def main(folder):
    """Makes variables and trains. All workers run the same code."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    task = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    with strategy.scope():
        model = coordinator.make_model()
        variables = {
            "bare": tf.Variable(lambda: tf_vsinit.LecunUniform(seed=3)([50, 6], tf.float64)),
            "unseeded": tf.Variable(lambda: tf_vsinit.HeNormal()([50, 6])),
            "hidden": model.layers[0].kernel,
            "output": model.layers[1].kernel,
        }
    values = {name: variable.numpy() for name, variable in variables.items()}
    report = {
        "replicas": strategy.num_replicas_in_sync,
        "losses": train(strategy, model),
        "fit_error": coordinator.error_of(lambda: fit(strategy)),
    }
    folder = pathlib.Path(folder)
    np.savez(folder / f"{task}.npz", **values, trained=model.layers[0].kernel.numpy())
    (folder / f"{task}.json").write_text(json.dumps(report))


def train(strategy, model):
    """Trains with a custom loop. Returns the losses."""
    with strategy.scope():
        optimizer = tf.keras.optimizers.SGD(coordinator.LEARNING_RATE)
        optimizer.build(model.trainable_variables)

    @tf.function
    def step(inputs):
        def replica_step(x, y):
            return coordinator.optimizer_step(
                model,
                optimizer,
                lambda: tf.nn.compute_average_loss(
                    tf.reduce_mean(tf.square(model(x, training=True) - y), axis=-1)
                ),
            )

        return strategy.reduce("sum", strategy.run(replica_step, args=inputs), axis=None)

    batches = strategy.experimental_distribute_dataset(coordinator.dataset().repeat().take(STEPS))
    return [float(step(batch)) for batch in batches]


def fit(strategy):
    """Trains with `Model.fit`."""
    with strategy.scope():
        model = coordinator.make_model()
        model.compile(tf.keras.optimizers.SGD(coordinator.LEARNING_RATE), "mse")
    model.fit(coordinator.dataset(), epochs=1, verbose=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
