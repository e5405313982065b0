"""Draws of every stream, distribution and dtype, by the op."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

import tf_vsinit
from tests.randomness import distributions
from tf_vsinit import reference

# Draws that are computed at once, so that they stay in the cache.
BOX = 2**22
# They give a limit or a standard deviation (before truncation) of one.
_SCALES = {
    "uniform": 1 / 3,
    "untruncated_normal": 1.0,
    "truncated_normal": 0.87962566103423978**2,
}

# Changes draws to what a wrong sampler would give: for the tests of this battery.
Fault = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Case:
    """What is drawn. The seed makes every run the same."""

    stream: str
    distribution: str
    dtype: str
    seed: tuple[int, int]
    fault: Fault | None = None

    def __str__(self) -> str:
        return f"{self.stream}, {self.distribution}, {self.dtype}"

    @property
    def is_discrete(self) -> bool:
        return self.dtype in distributions.SIXTEEN_BITS

    def boxes(self, count: int, size: int = BOX) -> Iterator[np.ndarray]:
        """Yields the first `count` elements of the stream, some at a time."""
        for begin in range(0, count, size):
            drawn = tf_vsinit.stateless_variance_scaling(
                [count],
                self.seed,
                scale=_SCALES[self.distribution],
                distribution=self.distribution,
                dtype=self.dtype,
                input_axes=(),
                output_axes=(),
                begin=[begin],
                size=[min(size, count - begin)],
                stream=self.stream,
            ).numpy()
            yield drawn if self.fault is None else self.fault(drawn)

    def values(self, count: int) -> np.ndarray:
        """Returns the first `count` elements of the stream."""
        result = np.empty(count, distributions.SIXTEEN_BITS.get(self.dtype, self.dtype))
        for number, box in enumerate(self.boxes(count)):
            result[number * BOX : number * BOX + len(box)] = box
        return result


# Each has a seed of its own: dtypes and distributions of one seed share their words.
CASES = tuple(
    Case(*names, (2026, number))
    for number, names in enumerate(
        itertools.product(reference.STREAMS, reference.DISTRIBUTIONS, reference.DTYPES)
    )
)


def first_elements(seeds: int, distribution: str = "uniform") -> np.ndarray:
    """Returns element 0 of consecutive seeds, as Keras passes them: float64, [seeds]."""

    def element(seed):
        return tf_vsinit.stateless_variance_scaling(
            [1],
            seed,
            scale=_SCALES[distribution],
            distribution=distribution,
            dtype="float64",
            input_axes=(),
            output_axes=(),
        )[0]

    pairs = np.stack([np.arange(seeds), np.zeros(seeds, np.int64)], axis=-1)
    return tf.vectorized_map(element, tf.constant(pairs)).numpy()
