"""Compares values bit by bit, so that the signs of zeros count and a NaN equals itself."""

from typing import Any

import numpy as np


def bits(values: Any) -> np.ndarray:
    """Returns the bits of an array, a tensor or a variable as unsigned integers."""
    array = _array(values)
    return array.view(f"u{array.dtype.itemsize}")


def same_bits(first: Any, second: Any) -> bool:
    """Says whether two arrays agree in dtype, shape and every bit."""
    return _array(first).dtype == _array(second).dtype and np.array_equal(bits(first), bits(second))


def assert_same_bits(found: Any, wanted: Any, message: object = "") -> None:
    """Fails unless two arrays agree in dtype, shape and every bit."""
    found, wanted = _array(found), _array(wanted)
    assert found.dtype == wanted.dtype, f"{found.dtype} is not {wanted.dtype} {message}"
    np.testing.assert_array_equal(bits(found), bits(wanted), str(message), strict=True)


def _array(values):
    # NumPy cannot convert a scalar bfloat16 tensor by itself.
    return np.asarray(values.numpy() if hasattr(values, "numpy") else values)
