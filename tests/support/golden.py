"""Reads the files of tests/golden. The header of stream_v1.txt describes the lines."""

import struct
from typing import Any

import numpy as np

from tests.support.repository import ROOT


def vectors(file: str, kind: str) -> list[tuple[list[str], list[str]]]:
    """Returns the arguments and the results of each vector of a kind; there is at least one."""
    found = []
    for line in (ROOT / "tests" / "golden" / file).read_text().splitlines():
        if line.startswith(kind + " "):
            arguments, results = line.split("=")
            found.append((arguments.split()[1:], results.split()))
    assert found, f"no vectors {kind!r} in {file}"
    return found


def double(field: str) -> float:
    """Reads the hexadecimal bits of a float64."""
    return struct.unpack(">d", bytes.fromhex(field))[0]


def word(field: str) -> np.ndarray:
    """Reads a hexadecimal number as an unsigned integer of its width."""
    return np.array([int(field, 16)], f"u{len(field) // 2}")


def integers(field: str) -> list[int]:
    """Reads a list of integers."""
    return [] if field == "-" else [int(item) for item in field.split(",")]


def axes(input_field: str, output_field: str) -> tuple[list[int] | None, list[int] | None]:
    """Reads input axes and output axes, None where the vector names neither."""
    if input_field == output_field == "-":
        return None, None
    return integers(input_field), integers(output_field)


def draw_arguments(arguments: list[str]) -> dict[str, Any]:
    """Reads the arguments of an `op` line as those of `stateless_variance_scaling`."""
    dtype, distribution, mode, scale, seed0, seed1, shape, begin, size, *named_axes = arguments
    input_axes, output_axes = axes(*named_axes)
    return dict(
        shape=integers(shape),
        seed=(int(seed0), int(seed1)),
        scale=double(scale),
        mode=mode,
        distribution=distribution,
        dtype=dtype,
        input_axes=input_axes,
        output_axes=output_axes,
        begin=integers(begin),
        size=integers(size),
    )


def hexadecimal(values: np.typing.ArrayLike) -> list[str]:
    """Writes the bits of values as the files do."""
    values = np.asarray(values).ravel()
    width = values.dtype.itemsize
    return [f"{bits:0{2 * width}x}" for bits in values.view(f"u{width}").tolist()]
