"""The word stream, in three orders, and quick tests of its bits.

`python -m tests.randomness.words reversed | dieharder -g 200 -a` lets a program read the words.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import numpy as np

from tests.randomness.p_values import Result, chi_square, quadratic, two_sided_normal
from tf_vsinit import reference

SEED = (2026, 14)
# Blocks that are computed at once, so that they stay in the cache.
BLOCKS = 2**12
INTERLEAVED_SEEDS = 256

Words = Iterator[np.ndarray]


def in_order(first_block: int = 0, seed: tuple[int, int] = SEED) -> Words:
    """Yields the words of one seed as the stream numbers them."""
    key = reference.stream_key(seed)
    while True:
        numbers = np.arange(first_block, first_block + BLOCKS, dtype=np.uint64)
        yield reference.blocks(key, numbers).ravel()
        first_block += BLOCKS


def interleaved(first_block: int = 0) -> Words:
    """Yields a word of each of 256 consecutive seeds in turn, as a model's variables have them."""
    streams = [in_order(first_block, (SEED[0] + i, SEED[1])) for i in range(INTERLEAVED_SEEDS)]
    while True:
        yield np.stack([next(stream) for stream in streams], axis=-1).ravel()


def reversed_bits(first_block: int = 0) -> Words:
    """Yields the words of one seed with their highest bit as the lowest."""
    for words in in_order(first_block):
        for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF)):
            low = np.uint32(mask)
            words = words >> np.uint32(shift) & low | (words & low) << np.uint32(shift)
        yield words >> np.uint32(16) | words << np.uint32(16)


ORDERS: dict[str, Callable[[int], Words]] = {
    "in order": in_order,
    "interleaved": interleaved,
    "reversed": reversed_bits,
}


def take(words: Words, count: int) -> np.ndarray:
    """Returns the next `count` words."""
    parts, missing = [], count
    while missing > 0:
        parts.append(next(words)[:missing])
        missing -= len(parts[-1])
    return np.concatenate(parts)


def quick_tests(subject: str, words: np.ndarray) -> list[Result]:
    """Tests the bits of words, an even number of them."""
    ones_of_bits = np.zeros(32)
    agreements = np.zeros((32, 32))
    ones = np.zeros(33)
    halves = np.zeros(2**16)
    neighbours = 0
    # float32 holds the sums of small parts exactly. Neighbours across their ends are left out.
    for begin in range(0, len(words), 2**16):
        part = words[begin : begin + 2**16]
        bits = np.unpackbits(part.astype("<u4").view(np.uint8), bitorder="little").reshape(-1, 32)
        signs = bits.astype(np.float32) * 2 - 1
        ones_of_bits += signs.sum(axis=0)
        agreements += signs[:-1].T @ signs[1:]
        neighbours += len(part) - 1
        ones += np.bincount(bits.sum(axis=1), minlength=33)
        halves += np.bincount(part.view(np.uint16), minlength=2**16)
    of_ones = np.array([_binomial(32, k) for k in range(33)]) / 2.0**32
    scores = ones_of_bits / np.sqrt(len(words))
    of_neighbours = agreements / np.sqrt(neighbours)
    return [
        Result("words", subject, "each bit is one half of the time", *quadratic(scores)),
        Result("words", subject, "bits of neighbouring words", *quadratic(of_neighbours)),
        Result("words", subject, "16-bit halves", *chi_square(halves, np.full(2**16, 2.0**-16))),
        Result("words", subject, "ones in a word", *chi_square(ones, of_ones)),
    ]


def _binomial(n: int, k: int) -> float:
    return float(np.prod([(n - i) / (i + 1) for i in range(k)]))


def seeds_that_differ_in_a_bit(
    count: int, stream: Callable[[tuple[int, int]], Words] | None = None
) -> list[Result]:
    """Compares `count` words of a seed with those of each seed that differs in one bit."""
    stream = stream or (lambda seed: in_order(0, seed))
    base = take(stream(SEED), count)
    scores = []
    for bit in range(128):
        seed = [*SEED]
        # The 64th bit is the sign.
        seed[bit // 64] ^= -(2**63) if bit % 64 == 63 else 2 ** (bit % 64)
        differing = int(np.bitwise_count(base ^ take(stream((seed[0], seed[1])), count)).sum())
        scores.append((differing - 16 * count) / np.sqrt(8 * count))
    worst = int(np.argmax(np.abs(scores)))
    largest = 1 - (1 - two_sided_normal(scores[worst])) ** 128
    return [
        Result("seeds", "128 bits", "differing bits of the words", *quadratic(np.array(scores))),
        Result("seeds", f"bit {worst}", "most unusual bit", f"z = {scores[worst]:.2f}", largest),
    ]


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        for part in ORDERS[sys.argv[1]](0):
            sys.stdout.buffer.write(part.astype("<u4"))
