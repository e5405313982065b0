"""Trains one model from 100 seeds in one process, and finds the best start.

Making a model for each seed builds it and traces its training step each time. `reinitialize` draws
the variables of one model again, and the traced step stays valid.

Run it with: .venv/bin/python examples/restarts.py
"""

import time

import numpy as np
import tensorflow as tf

import tf_vsinit

RESTARTS = 100
# Making a model takes long, so only a few are made for comparison.
MODELS = 5


def make_model():
    """Returns a model that learns the exclusive or of two numbers' signs."""
    model = tf.keras.Sequential(
        [
            tf.keras.Input([2]),
            tf.keras.layers.Dense(3, activation="tanh", kernel_initializer="glorot_normal"),
            tf.keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=tf.keras.optimizers.SGD(1.0), loss="binary_crossentropy")
    return model


def train(model, points, labels):
    """Trains a model; returns its loss."""
    for _ in range(20):
        loss = model.train_on_batch(points, labels)
    return float(loss)


def main():
    """Prints the losses, and the seconds per start."""
    points = np.random.default_rng(1).uniform(-1, 1, [64, 2]).astype(np.float32)
    labels = (points[:, :1] * points[:, 1:] > 0).astype(np.float32)

    begin = time.perf_counter()
    rebuilt = []
    for seed in range(MODELS):
        with tf_vsinit.scope(seed):
            model = make_model()
        rebuilt.append(train(model, points, labels))
    rebuilding = (time.perf_counter() - begin) / MODELS

    train(model, points, labels)  # Traces the step, outside the time.
    begin = time.perf_counter()
    losses = []
    for seed in range(RESTARTS):
        tf_vsinit.reinitialize(model, seed)
        losses.append(train(model, points, labels))
    restarting = (time.perf_counter() - begin) / RESTARTS

    same = losses[:MODELS] == rebuilt
    print(f"The first {MODELS} starts have the losses of {MODELS} models made in scopes: {same}")
    print(f"best loss of {RESTARTS} starts: {min(losses):.3f}, with seed {np.argmin(losses)}")
    print(f"median {np.median(losses):.3f}, worst {max(losses):.3f}")
    print(f"a new model: {rebuilding:.3f} s per start; reinitialize: {restarting:.3f} s")


if __name__ == "__main__":
    main()
