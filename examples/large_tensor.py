"""Draws one large tensor box by box with a progress bar, in one call, and with stock Keras."""

import time

import numpy as np
import rich.progress
import tensorflow as tf

import tf_vsinit

SEED = 1
BOXES = 64
IN_BOXES = f"tf_vsinit, {BOXES} boxes into an array"
OURS, STOCK = "tf_vsinit, one call", "tf.keras, one call"


def compare(console, edge: int) -> dict[str, float]:
    """Draws an [edge, edge] float32 tensor with HeNormal in three ways.

    Returns:
      The way -> the seconds it took.
    """
    seconds = {}
    array, seconds[IN_BOXES] = _draw_boxes(console, edge)
    with console.status(OURS):
        tensor, seconds[OURS] = _draw(tf_vsinit.HeNormal, edge)
    if not np.array_equal(array, tensor):
        raise AssertionError("The boxes differ from the whole tensor.")
    del array, tensor  # Stock Keras needs memory for three such tensors.
    with console.status(STOCK):
        _, seconds[STOCK] = _draw(tf.keras.initializers.HeNormal, edge)
    return seconds


def _draw_boxes(console, edge):
    """Draws the tensor in boxes of several rows."""
    array = np.empty([edge, edge], np.float32)
    array.fill(0)  # Makes the system provide the memory before the clock starts.
    rows = edge // BOXES
    start = time.perf_counter()
    for begin in rich.progress.track(
        range(0, edge, rows), "tf_vsinit, in boxes", console=console, update_period=0.05
    ):
        array[begin : begin + rows] = tf_vsinit.stateless_variance_scaling(
            [edge, edge], seed=[SEED, 0], scale=2.0, begin=[begin, 0], size=[rows, edge]
        )
    return array, time.perf_counter() - start


def _draw(initializer_class, edge):
    """Draws the tensor twice. The system has provided the memory before the faster draw."""
    best = float("inf")
    for _ in range(2):
        tensor = None  # Frees the memory.
        start = time.perf_counter()
        tensor = initializer_class(seed=SEED)([edge, edge])
        best = min(best, time.perf_counter() - start)
    return tensor, best
