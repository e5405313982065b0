"""The streams in NumPy alone: the same bits as the op, for checking and for other frameworks.

This module follows the definition in `docs/stream.md` operation by operation. It imports only NumPy
and the siblings `normal_coefficients` and `reference_tensorflow` (the TensorFlow stream), so it
works without TensorFlow: put these three files into one folder and `import reference`.

>>> import numpy as np
>>> from tf_vsinit import reference
>>> kernel = reference.stateless_variance_scaling((300, 200), seed=(1, 2), scale=2.0)
>>> rows = reference.stateless_variance_scaling(
...     (300, 200), seed=(1, 2), scale=2.0, begin=(100, 0), size=(50, -1))
>>> bool(np.array_equal(rows, kernel[100:150]))
True
"""

from __future__ import annotations

import functools
import math
import numbers
import operator
from collections.abc import Sequence

import numpy as np

if __package__:
    from tf_vsinit import normal_coefficients as coefficients
    from tf_vsinit import reference_tensorflow
else:
    import normal_coefficients as coefficients  # type: ignore[import-not-found, no-redef]
    import reference_tensorflow  # type: ignore[import-not-found, no-redef]

MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
STREAMS = ("vsinit", "tensorflow")
DTYPES = ("float16", "bfloat16", "float32", "float64")

# The largest finite value of each dtype.
_LARGEST = {
    "float16": 65504.0,
    "bfloat16": float.fromhex("0x1.fep127"),
    "float32": float.fromhex("0x1.fffffep127"),
    "float64": float.fromhex("0x1.fffffffffffffp1023"),
}
_STDDEV_OF_TRUNCATED = 0.87962566103423978

_ROW_MAGIC = np.float32(1.5 * 2**20)
_ROW_OFFSET = np.float32(49 / 128)
_SQRT2_BITS = {4: np.uint32(0x3FB504F3), 8: np.uint64(0x3FF6A09E667F3BCD)}
_MANTISSA_BITS = {4: np.uint32(23), 8: np.uint64(52)}


def stateless_variance_scaling(
    shape: Sequence[int],
    seed: Sequence[int],
    *,
    scale: float = 1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    dtype: object = "float32",
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
    begin: Sequence[int] | None = None,
    size: Sequence[int] | None = None,
    stream: str = "vsinit",
) -> np.ndarray:
    """Draws variance-scaled weights: the values of `tf_vsinit.stateless_variance_scaling`.

    Args:
      shape: the full shape, [rank].
      seed: two integers that fit int64.
      scale: positive finite number.
      mode: `fan_in`, `fan_out`, `fan_avg` (the arithmetic mean of both) or `fan_geo_avg` (their
        geometric mean).
      distribution: `truncated_normal` (also spelled `normal`), `untruncated_normal` or `uniform`.
      dtype: float16, bfloat16, float32 or float64, by name or as a NumPy dtype. NumPy has no
        bfloat16 of its own: the name `"bfloat16"` returns the bits of the values as uint16, and a
        dtype of that name (`ml_dtypes.bfloat16`, which is `tf.bfloat16.as_numpy_dtype`) returns an
        array of that dtype.
      input_axes: axes of `shape` whose product is fan_in; requires `output_axes`. None for both
        means the Keras convention: the last two axes are input and output units, and the axes
        before them are the receptive field.
      output_axes: axes of `shape` whose product is fan_out.
      begin: first element of the box, [rank]. None means the origin.
      size: extent of the box, [rank]; -1 means to the end. None means to the end of every axis.
      stream: `vsinit` for stream version 1, `tensorflow` for the values of stock TensorFlow.

    Returns:
      An array of shape `size`. Only the box is computed, however large `shape` is.

    Raises:
      ValueError: if an argument is out of range; the message names it and its value.

    Example:

    >>> from tf_vsinit import reference
    >>> reference.stateless_variance_scaling((2**40, 8), (1, 0), begin=(2**39, 6), size=(1, 2))
    array([[-9.4773128e-07,  1.0225425e-06]], dtype=float32)
    """
    shape, begin, size = _checked_box(shape, begin, size)
    draw = _checked_draw(
        shape, seed, scale, mode, distribution, dtype, input_axes, output_axes, stream
    )
    return draw(_box_index(shape, begin, size))


def stateless_variance_scaling_rows(
    shape: Sequence[int],
    seed: Sequence[int],
    rows: Sequence[int],
    *,
    scale: float = 1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    dtype: object = "float32",
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
    stream: str = "vsinit",
) -> np.ndarray:
    """Draws rows of a variable: the values of `tf_vsinit.stateless_variance_scaling_rows`.

    Args:
      shape: the full shape, [rank], of rank one or more.
      seed: two integers that fit int64.
      rows: coordinates along the first axis, [n], in any order and with repeats.
      scale: as for `stateless_variance_scaling`, and so are the other arguments.
      mode: see there.
      distribution: see there.
      dtype: see there.
      input_axes: see there.
      output_axes: see there.
      stream: see there.

    Returns:
      An array of shape [n] + shape[1:]. Only the rows are computed, however large `shape` is.

    Raises:
      ValueError: if an argument is out of range; the message names it and its value.

    Example:

    >>> from tf_vsinit import reference
    >>> reference.stateless_variance_scaling_rows((2**40, 8), (1, 0), [2**39, 3, 2**39]).shape
    (3, 8)
    """
    shape, _, _ = _checked_box(shape, None, None)
    if not shape:
        raise ValueError("Argument `shape` must have at least one axis. Received: shape=[]")
    rows = _integers("rows", rows)
    for i, row in enumerate(rows):
        if not 0 <= row < shape[0]:
            raise ValueError(
                f"Argument `rows` must be at least 0 and below shape[0] = {shape[0]}. "
                f"Received: rows[{i}]={row}"
            )
    draw = _checked_draw(
        shape, seed, scale, mode, distribution, dtype, input_axes, output_axes, stream
    )
    row_size = math.prod(shape[1:])
    first = np.array(rows, np.uint64).reshape(-1, 1) * np.uint64(row_size)
    index = first + np.arange(row_size if rows else 0, dtype=np.uint64)
    return draw(index.reshape(len(rows), *shape[1:]))


def _checked_draw(shape, seed, scale, mode, distribution, dtype, input_axes, output_axes, stream):
    """Checks all but the shape. Returns the function that draws the elements of stream indices."""
    name, as_dtype = _checked_dtype(dtype)
    _check_choice("mode", mode, MODES)
    distribution = _long_name(distribution)
    _check_choice("distribution", distribution, DISTRIBUTIONS)
    _check_choice("stream", stream, STREAMS)
    scale = _checked_scale(scale)
    key = stream_key(seed)
    fan_in, fan_out = fans(shape, input_axes, output_axes)
    factor = limit_or_stddev(scale, mode, fan_in, fan_out, distribution)
    _check_values_fit(scale, factor, distribution, name, stream)

    def draw(index):
        values = elements(key, index.ravel(), factor, distribution, name, stream)
        values = values.reshape(index.shape)
        return values if as_dtype is None else values.view(as_dtype)

    return draw


def elements(
    key: tuple[int, int, int, int],
    index: np.ndarray,
    factor: float,
    distribution: str,
    dtype: str,
    stream: str = "vsinit",
) -> np.ndarray:
    """Returns the elements of a stream at the given indices.

    Args:
      key: the result of `stream_key`.
      index: one-dimensional array of indices, uint64.
      factor: the limit of a uniform, or the standard deviation of a normal before truncation.
      distribution: `truncated_normal`, `untruncated_normal` or `uniform`.
      dtype: name of the dtype; for bfloat16 the bits are returned, as uint16.
      stream: `vsinit` or `tensorflow`.

    Example:

    >>> import numpy as np
    >>> from tf_vsinit import reference
    >>> index = np.arange(3, dtype=np.uint64)
    >>> reference.elements(reference.stream_key((1, 2)), index, 1.0, "uniform", "float64").shape
    (3,)
    """
    if stream == "tensorflow":
        drawn = functools.partial(blocks, key)
        return reference_tensorflow.elements(drawn, index, factor, distribution, dtype)
    real = np.float64 if dtype == "float64" else np.float32
    deviate = standard_deviate(distribution, words(key, index, real))
    rounded = real(factor)
    if distribution == "uniform":
        values = deviate * (rounded - -rounded) + -rounded
        if dtype in ("float16", "bfloat16"):
            low, high = _uniform_range(rounded, dtype)
            values = np.minimum(np.maximum(values, low), high)
    else:
        values = deviate * rounded
    if dtype == "float16":
        return values.astype(np.float16)
    return round_to_bfloat16(values) if dtype == "bfloat16" else values


# ---------------------------------------------------------------------------------------------
# Bits: Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.


def philox(counter: Sequence[np.ndarray], key: tuple[int, int]) -> list[np.ndarray]:
    """Returns the four output words of Philox4x32-10.

    Args:
      counter: four arrays of uint32, the lowest word first.
      key: two words.

    Example:

    >>> import numpy as np
    >>> from tf_vsinit import reference
    >>> [hex(word[0]) for word in reference.philox([np.zeros(1, np.uint32)] * 4, (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    x0, x1, x2, x3 = (np.asarray(word, np.uint32) for word in counter)
    key0, key1 = key
    for _ in range(10):
        high0, low0 = _wide_product(x0, 0xD2511F53)
        high1, low1 = _wide_product(x2, 0xCD9E8D57)
        x0, x1, x2, x3 = (
            high1 ^ x1 ^ np.uint32(key0),
            low1,
            high0 ^ x3 ^ np.uint32(key1),
            low0,
        )
        key0 = (key0 + 0x9E3779B9) % 2**32
        key1 = (key1 + 0xBB67AE85) % 2**32
    return [x0, x1, x2, x3]


def _wide_product(word, multiplier):
    product = word.astype(np.uint64) * np.uint64(multiplier)
    return (product >> np.uint64(32)).astype(np.uint32), product.astype(np.uint32)


def stream_key(seed: Sequence[int]) -> tuple[int, int, int, int]:
    """Returns the Philox key (two words) and the high two words of every counter.

    These are the key and the counter of TensorFlow's `StatelessRandomGetKeyCounter`.

    Raises:
      ValueError: if `seed` is not two integers that fit int64.

    Example:

    >>> from tf_vsinit import reference
    >>> [hex(word) for word in reference.stream_key((0, 0))]
    ['0xdd5b9083', '0xdf7a3ef6', '0x33da8054', '0xff2f51a8']
    """
    seed = _checked_seed(seed)
    counter = [(s >> shift) % 2**32 for s in seed for shift in (0, 32)]
    mixed = philox([np.array([word], np.uint32) for word in counter], (0x3EC8F720, 0x02461E29))
    key_0, key_1, high_0, high_1 = (int(word[0]) for word in mixed)
    return key_0, key_1, high_0, high_1


def blocks(key: tuple[int, int, int, int], number: np.ndarray) -> np.ndarray:
    """Returns blocks of the stream: their words, uint32 of shape [n, 4].

    Args:
      key: what `stream_key` gives.
      number: one-dimensional array of the numbers of the blocks, uint64.

    Example:

    >>> import numpy as np
    >>> from tf_vsinit import reference
    >>> reference.blocks(reference.stream_key((1, 2)), np.arange(5, dtype=np.uint64)).shape
    (5, 4)
    """
    low = number.astype(np.uint32)
    high = (number >> np.uint64(32)).astype(np.uint32)
    third, fourth = (np.full_like(low, word) for word in key[2:])
    return np.stack(philox([low, high, third, fourth], key[:2]), axis=-1)


def words(key: tuple[int, int, int, int], index: np.ndarray, real: type) -> np.ndarray:
    """Returns the words of elements: 32 bits each for float32, 64 bits for float64.

    Args:
      key: the result of `stream_key`.
      index: one-dimensional array of indices, uint64.
      real: np.float32 or np.float64, the type that the elements are computed in.

    Example:

    >>> import numpy as np
    >>> from tf_vsinit import reference
    >>> index = np.arange(5, dtype=np.uint64)
    >>> reference.words(reference.stream_key((1, 2)), index, np.float32).dtype
    dtype('uint32')
    """
    per_block = np.uint64(2 if real is np.float64 else 4)
    # Several elements share a block: draw each block once.
    block, place = np.unique(np.asarray(index, np.uint64) // per_block, return_inverse=True)
    drawn = blocks(key, block)
    if real is np.float64:
        wide = drawn.astype(np.uint64)
        drawn = wide[:, 0::2] << np.uint64(32) | wide[:, 1::2]
    return drawn[place.reshape(-1), (index % per_block).astype(np.intp)]


# ---------------------------------------------------------------------------------------------
# Distributions.


def standard_deviate(distribution: str, words: np.ndarray) -> np.ndarray:
    """Returns the standard deviates of words.

    Args:
      distribution: `truncated_normal`, `untruncated_normal` or `uniform`.
      words: uint32 for float32 deviates, uint64 for float64 ones.

    Returns:
      r in [0, 1) for a uniform; otherwise z of a standard normal, perhaps truncated at two.

    Example:

    >>> import numpy as np
    >>> from tf_vsinit import reference
    >>> reference.standard_deviate("truncated_normal", np.array([0, 2**32 - 1], np.uint32))
    array([-2.,  2.], dtype=float32)
    """
    if distribution == "uniform":
        return _uniform(words)
    tail = np.minimum(words, ~words)
    if distribution == "truncated_normal":
        magnitude = _truncated32(tail) if tail.itemsize == 4 else _truncated64(tail)
    else:
        magnitude = _untruncated32(tail) if tail.itemsize == 4 else _untruncated64(tail)
    return np.where(tail == words, -magnitude, magnitude)


def _uniform(words):
    if words.itemsize == 4:
        bits = words & np.uint32(0x7FFFFF) | np.uint32(0x3F800000)
        return bits.view(np.float32) - np.float32(1)
    bits = words & np.uint64(0xFFFFFFFFFFFFF) | np.uint64(0x3FF0000000000000)
    return bits.view(np.float64) - np.float64(1)


def _fraction31(bits):
    """Returns (bits + 1/2) / 2^31: bits rounded to float32, then one fused operation."""
    return fused_multiply_add(bits.astype(np.float32), np.float32(2**-31), np.float32(2**-32))


def _fraction63(bits):
    """Returns (bits + 1/2) / 2^63, rounded once."""
    high = (bits >> np.uint64(32)).astype(np.float64)
    low = (bits & np.uint64(0xFFFFFFFF)).astype(np.float64)
    rest = fused_multiply_add(low, np.float64(2**-63), np.float64(2**-64))
    return fused_multiply_add(high, np.float64(2**-31), rest)


def _truncated32(tail):
    t = _fraction31(tail ^ np.uint32(0x7FFFFFFF))
    u = fused_multiply_add(t, t, _ROW_OFFSET)
    row = fused_multiply_add(u, u, _ROW_MAGIC).view(np.uint32) & np.uint32(15)
    centre, *polynomial = coefficients.F32_TRUNCATED_ROWS[row].T
    return _polynomial(polynomial, t - centre)


def _truncated64(tail):
    t = _fraction63(tail ^ np.uint64(0x7FFFFFFFFFFFFFFF))
    v = fused_multiply_add(-t, t, np.float64(1))
    ratio = _polynomial(coefficients.F64_TRUNCATED_P, v) / _polynomial(
        coefficients.F64_TRUNCATED_Q, v
    )
    return t * fused_multiply_add(v, ratio, np.float64(2))


def _untruncated32(tail):
    doubled_tail = _fraction31(tail)
    v = doubled_tail * (np.float32(2) - doubled_tail)
    k, f = _binary_logarithm_parts(v)
    odd = (k & np.uint32(1)).astype(np.float32)
    x = fused_multiply_add(-f, _polynomial(coefficients.F32_LOG2, f), odd)
    t = _fraction31(tail ^ np.uint32(0x7FFFFFFF))
    return t * _polynomial(coefficients.F32_UNTRUNCATED_ROWS[k >> np.uint32(1)].T, x)


def _untruncated64(tail):
    doubled_tail = _fraction63(tail)
    in_tail = doubled_tail < np.float64(coefficients.F64_TAIL_BELOW)
    z = np.empty(tail.shape, np.float64)
    z[in_tail] = _untruncated64_tail(doubled_tail[in_tail])
    z[~in_tail] = _untruncated64_central(tail[~in_tail])
    return z


def _untruncated64_central(tail):
    t = _fraction63(tail ^ np.uint64(0x7FFFFFFFFFFFFFFF))
    v = fused_multiply_add(-t, t, np.float64(1))
    ratio = _polynomial(coefficients.F64_CENTRAL_P, v) / _polynomial(coefficients.F64_CENTRAL_Q, v)
    return t * fused_multiply_add(t * t, ratio, np.float64(coefficients.F64_SQRT_HALF_PI))


def _untruncated64_tail(doubled_tail):
    k, f = _binary_logarithm_parts(doubled_tail)
    product = f * _polynomial(coefficients.F64_TWICE_LN, f)
    twice_ln_2 = np.float64(coefficients.F64_TWICE_LN_2)
    r = np.sqrt(fused_multiply_add(k.astype(np.float64), twice_ln_2, -product))
    return r + _polynomial(coefficients.F64_TAIL_P, r) / _polynomial(coefficients.F64_TAIL_Q, r)


def _binary_logarithm_parts(value):
    """Returns k and f with value = 2^-k (1 + f) and 1 + f in (1/sqrt(2), sqrt(2)]."""
    bits = value.view(f"u{value.itemsize}")
    width = _MANTISSA_BITS[value.itemsize]
    k = (_SQRT2_BITS[value.itemsize] - bits) >> width
    return k, (bits + (k << width)).view(value.dtype) - value.dtype.type(1)


def _polynomial(coefficients, x):
    """Returns c[0] + x (c[1] + x (c[2] + ...)) by Horner's rule, fused."""
    *lower, total = coefficients
    for c in reversed(lower):
        total = fused_multiply_add(total, x, c)
    return total


# ---------------------------------------------------------------------------------------------
# Roundings.


def fused_multiply_add(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Returns a * b + c, rounded once to nearest even, without hardware support.

    Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using
    rounding to odd", IEEE Transactions on Computers 57(4), 2008.

    Args:
      a: array or scalar of float32 or float64; b and c have the same type.
      b: see a.
      c: see a.

    The result is exact in float32 for all finite arguments. It is exact in float64 if nothing
    overflows, |a| and |b| are below 2^995, and the lowest bit of the product is not below 2^-1074
    (which holds if a * b is zero or at least 2^-968 in magnitude). The arguments in the stream are
    zero or between 2^-64 and 2^64.

    Example:

    >>> import numpy as np
    >>> from tf_vsinit import reference
    >>> x = np.float32(1 + 2**-12)
    >>> bool(reference.fused_multiply_add(x, x, np.float32(-1)) == 2**-11 + 2**-24)
    True
    """
    if np.result_type(a) == np.float32:
        product = np.multiply(a, b, dtype=np.float64)  # 24 + 24 bits: exact
        return _sum_rounded_to_odd(product, np.asarray(c, np.float64)).astype(np.float32)
    high, low = _two_product(a, b)
    middle, rest1 = _two_sum(c, low)
    total, rest2 = _two_sum(high, middle)
    return total + _sum_rounded_to_odd(rest1, rest2)


def _two_sum(a, b):
    """Returns the rounded sum and its error (Knuth)."""
    total = a + b
    from_b = total - a
    return total, (a - (total - from_b)) + (b - from_b)


def _two_product(a, b):
    """Returns the rounded product and its error (Dekker)."""
    product = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return product, a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2)


def _halves(a):
    """Returns the upper 26 bits of a float64, and the rest (Veltkamp)."""
    scaled = a * np.float64(2**27 + 1)
    upper = scaled - (scaled - a)
    return upper, a - upper


def _sum_rounded_to_odd(a, b):
    """Returns a + b in float64: if that is inexact, the number beside it whose last bit is 1.

    Rounding the result again gives the same as rounding the exact sum once, if it is rounded to 51
    bits or fewer, or after a further addition as above.
    """
    total, error = _two_sum(a, b)
    bits = np.asarray(total).view(np.int64)
    away_from_zero = np.where((error > 0) == (total > 0), np.int64(1), np.int64(-1))
    is_even = bits & np.int64(1) == 0
    return np.where((error != 0) & is_even, bits + away_from_zero, bits).view(np.float64)


def round_to_bfloat16(values: np.ndarray) -> np.ndarray:
    """Returns the bits (uint16) of the bfloat16 nearest to each float32; ties go to even.

    Example:

    >>> import numpy as np
    >>> from tf_vsinit import reference
    >>> hex(reference.round_to_bfloat16(np.array([1.0], np.float32))[0])
    '0x3f80'
    """
    bits = np.asarray(values, np.float32).view(np.uint32)
    last = bits >> np.uint32(16) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + last) >> np.uint32(16)).astype(np.uint16)


def _uniform_range(limit, dtype):
    """Returns the least and the greatest value of a 16-bit dtype in [-limit, limit), as float32."""
    low = np.float32(0) - _truncated_to_16_bits(limit, dtype)  # +0, not -0, if it is zero
    return low, _truncated_to_16_bits(np.nextafter(limit, np.float32(0)), dtype)


def _truncated_to_16_bits(value, dtype):
    """Returns the greatest value of a 16-bit dtype up to a float32 that is not negative."""
    if dtype == "bfloat16":
        return (value.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    with np.errstate(over="ignore"):
        nearest = value.astype(np.float16)
    return np.float32(nearest if nearest <= value else np.nextafter(nearest, np.float16(0)))


# ---------------------------------------------------------------------------------------------
# Fans and scale.


def fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Returns fan_in and fan_out of a shape, counted as Keras counts them.

    Args:
      shape: the full shape, [rank].
      input_axes: axes whose product is fan_in; None (for both) for the Keras convention.
      output_axes: axes whose product is fan_out.

    Raises:
      ValueError: if only one of the axes is given, one is out of range, or a fan reaches 2^63.

    Example:

    >>> from tf_vsinit import reference
    >>> reference.fans((3, 3, 16, 32))
    (144, 288)
    """
    if (input_axes is None) != (output_axes is None):
        raise ValueError(
            "Arguments `input_axes` and `output_axes` must be given together. "
            f"Received: input_axes={input_axes!r}, output_axes={output_axes!r}"
        )
    if input_axes is not None:
        result = (
            _axes_product("input_axes", input_axes, shape),
            _axes_product("output_axes", output_axes, shape),
        )
    elif len(shape) < 2:
        result = (math.prod(shape),) * 2
    else:
        receptive_field = math.prod(shape[:-2])
        result = (receptive_field * shape[-2], receptive_field * shape[-1])
    if max(result) >= 2**63:
        raise ValueError(f"Argument `shape` must have fans below 2^63. Received: shape={shape!r}")
    return result


def limit_or_stddev(scale: float, mode: str, fan_in: int, fan_out: int, distribution: str) -> float:
    """Returns the limit of a uniform, or the standard deviation of a normal before truncation.

    Example:

    >>> from tf_vsinit import reference
    >>> reference.limit_or_stddev(3.0, "fan_avg", 4, 2, "uniform") == 3.0 ** 0.5
    True
    """
    count = {
        "fan_in": float(fan_in),
        "fan_out": float(fan_out),
        "fan_avg": float(fan_in + fan_out) / 2.0,
        "fan_geo_avg": math.sqrt(float(fan_in) * float(fan_out)),
    }[mode]
    variance = scale / max(count, 1.0)
    if distribution == "uniform":
        return math.sqrt(3.0 * variance)
    stddev = math.sqrt(variance)
    return stddev / _STDDEV_OF_TRUNCATED if distribution == "truncated_normal" else stddev


# ---------------------------------------------------------------------------------------------
# Arguments.


def _box_index(shape, begin, size):
    """Returns the stream indices of the elements of a box, uint64 of shape `size`."""
    index = np.zeros(size, np.uint64)
    if index.size == 0:
        return index  # The other axes can be too long for memory.
    stride = 1
    for axis in reversed(range(len(shape))):
        along = np.arange(begin[axis], begin[axis] + size[axis], dtype=np.uint64)
        others = (1,) * (len(shape) - axis - 1)
        index += (along * np.uint64(stride)).reshape(-1, *others)
        stride *= shape[axis]
    return index


def _checked_dtype(dtype):
    """Returns the name of a dtype, and the dtype itself if it is a bfloat16 given as a dtype."""
    name = dtype
    if not isinstance(dtype, str):
        try:
            name = np.dtype(dtype).name
        except TypeError:
            name = None
    if name not in DTYPES:
        raise ValueError(
            f"Argument `dtype` must be one of {', '.join(DTYPES)}. Received: dtype={dtype!r}"
        )
    is_bits_of_dtype = name == "bfloat16" and not isinstance(dtype, str)
    return name, np.dtype(dtype) if is_bits_of_dtype else None


def _long_name(distribution):
    if not isinstance(distribution, str):
        return distribution
    distribution = distribution.lower()
    return "truncated_normal" if distribution == "normal" else distribution


def _check_choice(argument, value, choices):
    # `in` would compare the elements of an array.
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"Argument `{argument}` must be one of {', '.join(choices)}. "
            f"Received: {argument}={value!r}"
        )


def _checked_scale(scale):
    try:
        value = float(scale) if isinstance(scale, numbers.Real) else math.nan
    except OverflowError:
        value = math.inf
    if not 0.0 < value < math.inf:
        raise ValueError(
            f"Argument `scale` must be a positive finite number. Received: scale={scale!r}"
        )
    return value


def _check_values_fit(scale, factor, distribution, dtype, stream):
    """Raises a ValueError if values, or a step on the way to them, might overflow."""
    real = "float64" if dtype == "float64" else "float32"
    deviate = {
        "uniform": 1.0,
        "truncated_normal": 2.0,
        "untruncated_normal": 9.25 if real == "float64" else 6.5,
    }[distribution]
    largest = factor * deviate
    # A uniform is multiplied by twice its limit, in the TensorFlow stream in its dtype.
    width = 2.0 * factor if distribution == "uniform" else 0.0
    width_dtype = dtype if stream == "tensorflow" else real
    if not largest <= _LARGEST[dtype]:
        raise ValueError(
            f"Argument `scale` must lead to values that {dtype} can hold, up to {_LARGEST[dtype]}. "
            f"Received: scale={scale!r}, which leads to values up to {largest}"
        )
    if not width <= _LARGEST[width_dtype]:
        raise ValueError(
            f"Argument `scale` must lead to a uniform distribution whose width {width_dtype} can "
            f"hold, up to {_LARGEST[width_dtype]}. Received: scale={scale!r}, which leads to "
            f"{width}"
        )


def _checked_seed(seed):
    integers = _integers("seed", seed)
    if len(integers) != 2:
        raise ValueError(f"Argument `seed` must be two integers. Received: seed={seed!r}")
    return integers


def _checked_box(shape, begin, size):
    shape = _integers("shape", shape)
    if any(extent < 0 for extent in shape):
        raise ValueError(
            f"Argument `shape` must not have negative elements. Received: shape={list(shape)}"
        )
    if math.prod(extent for extent in shape if extent) >= 2**63:
        raise ValueError(
            f"Argument `shape` must have fewer than 2^63 elements. Received: shape={list(shape)}"
        )
    begin = _integers("begin", (0,) * len(shape) if begin is None else begin)
    size = _integers("size", (-1,) * len(shape) if size is None else size)
    for argument, value in (("begin", begin), ("size", size)):
        if len(value) != len(shape):
            raise ValueError(
                f"Argument `{argument}` must have one element for each of the {len(shape)} axes "
                f"of shape={list(shape)}. Received: {argument}={list(value)}"
            )
    return shape, begin, _extents(shape, begin, size)


def _extents(shape, begin, size):
    """Returns size with each -1 replaced by the rest of the axis."""
    extents = []
    for extent, first, count in zip(shape, begin, size, strict=True):
        if not 0 <= first <= extent:
            raise ValueError(
                f"Argument `begin` must lie inside shape={list(shape)}. "
                f"Received: begin={list(begin)}"
            )
        if not -1 <= count <= extent - first:
            raise ValueError(
                f"Argument `size` must lie inside shape={list(shape)} from begin={list(begin)}, "
                f"or be -1 for the rest of the axis. Received: size={list(size)}"
            )
        extents.append(extent - first if count == -1 else count)
    return tuple(extents)


def _axes_product(argument, axes, shape):
    rank = len(shape)
    axes = _integers(argument, axes)
    if any(not -rank <= axis < rank for axis in axes):
        raise ValueError(
            f"Argument `{argument}` must hold axes between {-rank} and {rank - 1} for a shape of "
            f"rank {rank}. Received: {argument}={list(axes)}"
        )
    return math.prod(shape[axis] for axis in axes)


def _integers(argument, value):
    try:
        integers = tuple(operator.index(element) for element in value)
    except TypeError:
        raise ValueError(
            f"Argument `{argument}` must be a sequence of integers. Received: {argument}={value!r}"
        ) from None
    if any(not -(2**63) <= integer < 2**63 for integer in integers):
        raise ValueError(
            f"Argument `{argument}` must hold 64-bit integers. Received: {argument}={value!r}"
        )
    return integers
