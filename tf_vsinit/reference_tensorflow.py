"""The TensorFlow stream in NumPy alone: the values of stock TensorFlow on a CPU in eager mode.

`docs/tensorflow_stream.md` is the definition; this module follows it operation by operation. It
imports NumPy and nothing of this package, so it can be copied elsewhere: its caller provides the
Philox blocks. Only float64 normals call the C library, for the logarithm, the sine and the cosine.

>>> import functools
>>> import numpy as np
>>> from tf_vsinit import reference, reference_tensorflow
>>> blocks = functools.partial(reference.blocks, reference.stream_key((7, 0)))
>>> reference_tensorflow.elements(
...     blocks, np.arange(3, dtype=np.uint64), 0.1, "truncated_normal", "float32")
array([-0.06741728, -0.03586926, -0.18795817], dtype=float32)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

# Returns the words of blocks, uint32 of shape [n, 4], for their numbers, uint64 of shape [n].
Blocks = Callable[[np.ndarray], np.ndarray]

# Tuple n of truncated normals reads the blocks from this many times n on: TensorFlow reserves 256
# words for each element.
_BLOCKS_PER_TRUNCATED_TUPLE = {np.float32: 256, np.float64: 128}

# Constants of glibc's logf, sinf and cosf, which are those of Arm's optimized-routines (MIT).
_LOG_FIRST_BITS = np.uint32(0x3F330000)
# 1 / c and log(c), for a point c in each sixteenth of [0.699, 1.398).
_LOG_ROWS = np.array(
    [
        [float.fromhex(number) for number in row.split()]
        for row in (
            "0x1.661ec79f8f3bep+0 -0x1.57bf7808caadep-2",
            "0x1.571ed4aaf883dp+0 -0x1.2bef0a7c06ddbp-2",
            "0x1.49539f0f010bp+0 -0x1.01eae7f513a67p-2",
            "0x1.3c995b0b80385p+0 -0x1.b31d8a68224e9p-3",
            "0x1.30d190c8864a5p+0 -0x1.6574f0ac07758p-3",
            "0x1.25e227b0b8eap+0 -0x1.1aa2bc79c81p-3",
            "0x1.1bb4a4a1a343fp+0 -0x1.a4e76ce8c0e5ep-4",
            "0x1.12358f08ae5bap+0 -0x1.1973c5a611cccp-4",
            "0x1.0953f419900a7p+0 -0x1.252f438e10c1ep-5",
            "0x1p+0 0x0p+0",
            "0x1.e608cfd9a47acp-1 0x1.aa5aa5df25984p-5",
            "0x1.ca4b31f026aap-1 0x1.c5e53aa362eb4p-4",
            "0x1.b2036576afce6p-1 0x1.526e57720db08p-3",
            "0x1.9c2d163a1aa2dp-1 0x1.bc2860d22477p-3",
            "0x1.886e6037841edp-1 0x1.1058bc8a07ee1p-2",
            "0x1.767dcf5534862p-1 0x1.4043057b6ee09p-2",
        )
    ]
)
_LOG_POLYNOMIAL = [
    float.fromhex(number)
    for number in ("-0x1.ffffef20a4123p-2", "0x1.5575b0be00b6ap-2", "-0x1.00ea348b88334p-2")
]
_SINE_POLYNOMIAL = [
    float.fromhex(number)
    for number in ("-0x1.555545995a603p-3", "0x1.1107605230bc4p-7", "-0x1.994eb3774cf24p-13")
]
_COSINE_POLYNOMIAL = [
    float.fromhex(number)
    for number in (
        "-0x1.ffffffd0c621cp-2",
        "0x1.55553e1068f19p-5",
        "-0x1.6c087e89a359dp-10",
        "0x1.99343027bf8c3p-16",
    )
]


def elements(
    blocks: Blocks,
    index: np.ndarray,
    factor: float,
    distribution: str,
    dtype: str,
) -> np.ndarray:
    """Returns the elements of a stream at the given indices.

    Args:
      blocks: gives the words of blocks of the stream.
      index: one-dimensional array of indices, uint64.
      factor: the limit of a uniform, the standard deviation (before truncation) of a normal.
      distribution: `truncated_normal`, `untruncated_normal` or `uniform`.
      dtype: name of the dtype; for bfloat16 the bits are returned, as uint16.

    Example: see the top of this module.
    """
    real = np.float64 if dtype == "float64" else np.float32
    deviate = _rounded(standard_deviate(blocks, index, distribution, dtype), dtype)
    factor = _rounded(np.asarray(factor).astype(real), dtype)
    if distribution == "uniform":
        width = _rounded(factor - -factor, dtype)
        values = _rounded(_rounded(deviate * width, dtype) + -factor, dtype)
    else:
        # Adding the mean, zero, makes +0 of -0.
        values = _rounded(deviate * factor, dtype) + real(0)
    if dtype == "float16":
        return values.astype(np.float16)
    if dtype == "bfloat16":
        return (values.view(np.uint32) >> np.uint32(16)).astype(np.uint16)
    return values


def standard_deviate(
    blocks: Blocks, index: np.ndarray, distribution: str, dtype: str
) -> np.ndarray:
    """Returns the deviates at the given indices, before they are rounded to a 16-bit dtype.

    Args:
      blocks: gives the words of blocks of the stream.
      index: one-dimensional array of indices, uint64.
      distribution: `truncated_normal`, `untruncated_normal` or `uniform`.
      dtype: name of the dtype.

    Example:

    >>> import functools
    >>> import numpy as np
    >>> from tf_vsinit import reference, reference_tensorflow
    >>> blocks = functools.partial(reference.blocks, reference.stream_key((7, 0)))
    >>> index = np.arange(2, dtype=np.uint64)
    >>> reference_tensorflow.standard_deviate(blocks, index, "uniform", "float16") * 1024
    array([ 71., 512.], dtype=float32)
    """
    real = np.float64 if dtype == "float64" else np.float32
    per_tuple = np.uint64(2 if real is np.float64 else 4)
    # Neighbours share a tuple: draw each tuple once.
    number, place = np.unique(np.asarray(index, np.uint64) // per_tuple, return_inverse=True)
    if distribution == "truncated_normal":
        drawn = _truncated(blocks, number, real)
    elif distribution == "untruncated_normal":
        drawn = _normal(blocks(number), real)
    else:
        drawn = _uniform(blocks(number), dtype)
    return drawn[place.reshape(-1), (index % per_tuple).astype(np.intp)]


def _rounded(values, dtype):
    """Returns the values rounded to a dtype. If that has 16 bits, they stay float32."""
    if dtype == "float16":
        with np.errstate(over="ignore"):
            return values.astype(np.float16).astype(np.float32)
    if dtype == "bfloat16":
        bits = values.view(np.uint32)
        last = bits >> np.uint32(16) & np.uint32(1)
        return ((bits + np.uint32(0x7FFF) + last) & np.uint32(0xFFFF0000)).view(np.float32)
    return values


def _uniform(words, dtype):
    """Returns the uniform deviates of the words of blocks, by block."""
    if dtype == "float64":
        wide = words.astype(np.uint64)
        return _uniform64(wide[:, 0::2] << np.uint64(32) | wide[:, 1::2])
    if dtype == "float32":
        return _uniform32(words)
    bits = {"float16": 10, "bfloat16": 7}[dtype]
    return (words & np.uint32(2**bits - 1)).astype(np.float32) * np.float32(2.0**-bits)


def _uniform32(words):
    bits = words & np.uint32(0x7FFFFF) | np.uint32(0x3F800000)
    return bits.view(np.float32) - np.float32(1)


def _uniform64(words):
    bits = words & np.uint64(0xFFFFFFFFFFFFF) | np.uint64(0x3FF0000000000000)
    return bits.view(np.float64) - np.float64(1)


def _truncated(blocks, number, real):
    """Returns the truncated normal deviates of tuples, by tuple."""
    first = number * np.uint64(_BLOCKS_PER_TRUNCATED_TUPLE[real])
    per_tuple = 2 if real is np.float64 else 4
    drawn = np.empty((len(number), per_tuple), real)
    missing = np.arange(len(number))
    count = 1
    while len(missing):
        block = first[missing, np.newaxis] + np.arange(count, dtype=np.uint64)
        candidates = _normal(blocks(block.ravel()), real).reshape(len(missing), -1)
        kept = np.abs(candidates) < 2
        enough = kept.sum(axis=1) >= per_tuple
        chosen = np.argsort(~kept[enough], axis=1, kind="stable")[:, :per_tuple]
        drawn[missing[enough]] = np.take_along_axis(candidates[enough], chosen, axis=1)
        missing = missing[~enough]
        count += 1
    return drawn


def _normal(words, real):
    """Returns the normal deviates of the words of blocks, by block."""
    if real is np.float64:
        wide = words.astype(np.uint64)
        joined = wide[:, 0::2] << np.uint64(32) | wide[:, 1::2]
        return np.stack(box_muller(joined[:, 0], joined[:, 1]), axis=-1)
    pairs = box_muller(words[:, 0::2], words[:, 1::2])
    return np.stack(pairs, axis=-1).reshape(len(words), 4)


def box_muller(radius_word: np.ndarray, angle_word: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the two standard normal deviates that each pair of words gives.

    Args:
      radius_word: uint32 for float32 deviates, uint64 for float64 ones.
      angle_word: array of the same dtype and shape.

    Example:

    >>> import numpy as np
    >>> from tf_vsinit import reference_tensorflow
    >>> reference_tensorflow.box_muller(np.uint32([2**22]), np.uint32([2**20]))
    (array([0.8325546], dtype=float32), array([0.8325546], dtype=float32))
    """
    if radius_word.dtype == np.uint64:
        return _box_muller64(radius_word, angle_word)
    return _box_muller32(radius_word, angle_word)


def _box_muller32(radius_word, angle_word):
    uniform = np.maximum(_uniform32(radius_word), np.float32(1e-7))
    radius = np.sqrt(np.float32(-2) * _log32(uniform))
    angle = (2.0 * math.pi * _uniform32(angle_word).astype(np.float64)).astype(np.float32)
    quarters = ((angle_word & np.uint32(0x7FFFFF)) + np.uint32(0x100000)) >> np.uint32(21)
    sine, cosine = _sine_cosine32(angle, quarters)
    return sine * radius, cosine * radius


def _box_muller64(radius_word, angle_word):
    uniform = np.maximum(_uniform64(radius_word), 1e-7)
    # NumPy's own logarithm, sine and cosine are not the C library's.
    radius = np.sqrt(-2.0 * _of_c_library(math.log, uniform))
    angle = 2.0 * math.pi * _uniform64(angle_word)
    return _of_c_library(math.sin, angle) * radius, _of_c_library(math.cos, angle) * radius


def _of_c_library(function, values):
    return np.fromiter(map(function, values.tolist()), np.float64, len(values))


def _log32(u):
    """Returns what glibc's logf gives for positive float32."""
    offset = u.view(np.uint32) - _LOG_FIRST_BITS
    reciprocal, logarithm = _LOG_ROWS[offset >> np.uint32(19) & np.uint32(15)].T
    k = (offset.view(np.int32) >> np.int32(23)).astype(np.float64)
    z = ((offset & np.uint32(0x7FFFFF)) + _LOG_FIRST_BITS).view(np.float32).astype(np.float64)
    r = z * reciprocal.T - 1.0
    base = logarithm.T + k * math.log(2)
    r2 = r * r
    total = _LOG_POLYNOMIAL[1] * r + _LOG_POLYNOMIAL[0]
    total = _LOG_POLYNOMIAL[2] * r2 + total
    return (total * r2 + (base + r)).astype(np.float32)


def _sine_cosine32(v, quarters):
    """Returns what glibc's sinf and cosf give; v is nearest to that number of quarter turns."""
    x = v.astype(np.float64) - quarters.astype(np.float64) * (math.pi / 2)
    x2 = x * x
    x3 = x * x2
    x4 = x2 * x2
    sine = (x + x3 * _SINE_POLYNOMIAL[0]) + (x3 * x2) * (
        _SINE_POLYNOMIAL[1] + x2 * _SINE_POLYNOMIAL[2]
    )
    cosine = ((1.0 + x2 * _COSINE_POLYNOMIAL[0]) + x4 * _COSINE_POLYNOMIAL[1]) + (x4 * x2) * (
        _COSINE_POLYNOMIAL[2] + x2 * _COSINE_POLYNOMIAL[3]
    )
    sine, cosine = sine.astype(np.float32), cosine.astype(np.float32)
    odd = quarters & np.uint32(1) != 0
    first = np.where(odd, cosine, sine)
    second = np.where(odd, sine, cosine)
    return (
        np.where(quarters & np.uint32(2) != 0, -first, first),
        np.where((quarters + np.uint32(1)) & np.uint32(2) != 0, -second, second),
    )
