"""One large tensor: drawn slice by slice with a progress line, in one call, and by stock Keras."""

import time

import numpy as np
import rich.progress
import tensorflow as tf

import tf_vsinit

SEED = 1
SLICES = 64
IN_SLICES = f"tf_vsinit, {SLICES} slices into an array"
OURS, STOCK = "tf_vsinit, one call", "tf.keras, one call"


def compare(console, edge: int) -> dict[str, float]:
    """Draws an [edge, edge] float32 tensor of He normal values three times.

    Returns:
      What was done -> the seconds it took.
    """
    seconds = {}
    array, seconds[IN_SLICES] = _draw_slices(console, edge)
    with console.status(OURS):
        tensor, seconds[OURS] = _draw(tf_vsinit.HeNormal, edge)
    if not np.array_equal(array, tensor):
        raise AssertionError("the slices are not the slices of the whole tensor")
    del array, tensor  # Stock needs room for two to three such tensors.
    with console.status(STOCK):
        _, seconds[STOCK] = _draw(tf.keras.initializers.HeNormal, edge)
    return seconds


def _draw_slices(console, edge):
    """Draws rows by rows, so that the progress shown is real."""
    array = np.empty([edge, edge], np.float32)
    array.fill(0)  # Has the system hand out the memory now, not while the time is taken.
    rows = edge // SLICES
    start = time.perf_counter()
    for begin in rich.progress.track(
        range(0, edge, rows), "tf_vsinit, in slices", console=console, update_period=0.05
    ):
        array[begin : begin + rows] = tf_vsinit.stateless_variance_scaling(
            [edge, edge], seed=[SEED, 0], scale=2.0, begin=[begin, 0], size=[rows, edge]
        )
    return array, time.perf_counter() - start


def _draw(initializer_class, edge):
    """Draws the tensor twice; the faster time is that of a machine that has found its memory."""
    best = float("inf")
    for _ in range(2):
        tensor = None  # Gives the memory back.
        start = time.perf_counter()
        tensor = initializer_class(seed=SEED)([edge, edge])
        best = min(best, time.perf_counter() - start)
    return tensor, best
