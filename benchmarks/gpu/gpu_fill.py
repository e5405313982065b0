"""The GPU fill (cc/gpu/fill.h) through ctypes, for tests and benchmarks."""

from __future__ import annotations

import ctypes
import os
import pathlib
from collections.abc import Sequence

# Not resolved: Bazel's tests see links, and beside them the library that it built for the test.
ROOT = pathlib.Path(__file__).absolute().parents[2]

# As numbered in cc/gpu/fill.h.
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
DTYPES = ("float16", "bfloat16", "float32", "float64")
ITEM_SIZE = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
SEED_KINDS = ("host_int64", "host_int32", "device_int64", "device_int32")

_LIBRARY_NAME = "libvsinit_gpu.so"
# Where Bazel, for its tests and for us, and `benchmarks/gpu/run.sh` leave the library.
_LIBRARY_FOLDERS = ("cc/gpu", "bazel-bin/cc/gpu", "out/gpu")


class GpuFillError(RuntimeError):
    """A fill that could not be launched; `code` is what the library returned."""

    def __init__(self, code: int, message: str) -> None:
        """Takes the library's code and its message for it."""
        super().__init__(f"{message} (error {code})")
        self.code = code


class Arguments(ctypes.Structure):
    """TfVsinitGpuFillArguments."""

    _fields_ = [
        ("distribution", ctypes.c_int32),
        ("element_type", ctypes.c_int32),
        ("limit_or_stddev", ctypes.c_double),
        ("rank", ctypes.c_int32),
        ("seed_kind", ctypes.c_int32),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("begin", ctypes.POINTER(ctypes.c_int64)),
        ("size", ctypes.POINTER(ctypes.c_int64)),
        ("seed", ctypes.c_void_p),
        ("output", ctypes.c_void_p),
        ("stream", ctypes.c_void_p),
    ]


def find_library() -> pathlib.Path | None:
    """The library that TF_VSINIT_GPU_LIBRARY names, or one that was built here; None if none was.

    Raises:
        FileNotFoundError: If TF_VSINIT_GPU_LIBRARY names no file.
    """
    named = os.environ.get("TF_VSINIT_GPU_LIBRARY")
    if named:
        path = pathlib.Path(named)
        if not path.is_file():
            raise FileNotFoundError(f"TF_VSINIT_GPU_LIBRARY={named} is no file")
        return path
    for folder in _LIBRARY_FOLDERS:
        path = ROOT / folder / _LIBRARY_NAME
        if path.is_file():
            return path
    return None


def _int64s(values: Sequence[int]) -> ctypes.Array:
    return (ctypes.c_int64 * len(values))(*values)


class Launch:
    """A fill with its arguments in place: calling it launches it."""

    def __init__(self, library: GpuFill, arguments: Arguments, alive: list[object]) -> None:
        """Takes the arguments, and what their pointers point to."""
        self.arguments = arguments
        self._function = library.function
        self._message = library.message
        self._pointer = ctypes.byref(arguments)
        self._alive = alive

    def __call__(self) -> None:
        """Launches the fill, without waiting for it.

        Raises:
            GpuFillError: If the library returns an error.
        """
        error = self._function(self._pointer)
        if error:
            raise GpuFillError(error, self._message(error))


class GpuFill:
    """The library."""

    def __init__(self, path: pathlib.Path) -> None:
        """Loads the library at a path."""
        self._library = library = ctypes.CDLL(str(path))
        self.function = library.TfVsinitGpuFill
        self.function.argtypes = [ctypes.c_void_p]
        self.function.restype = ctypes.c_int32
        self._message = library.TfVsinitGpuErrorMessage
        self._message.restype = ctypes.c_char_p

    def message(self, error: int) -> str:
        """The library's words for an error."""
        return self._message(ctypes.c_int32(error)).decode()

    def exports(self, name: str) -> bool:
        """Whether the library itself shows others a symbol of this name."""
        return hasattr(self._library, name)

    def prepare(
        self,
        distribution: str,
        dtype: str,
        limit_or_stddev: float,
        seed: Sequence[int] | int,
        shape: Sequence[int],
        begin: Sequence[int] | None = None,
        size: Sequence[int] | None = None,
        *,
        output: int,
        stream: int = 0,
        seed_kind: str = "host_int64",
    ) -> Launch:
        """Sets up a fill.

        Args:
            distribution: One of DISTRIBUTIONS.
            dtype: One of DTYPES.
            limit_or_stddev: The limit of a uniform, or the standard deviation before truncation.
            seed: Two integers, or the device address of two.
            shape: The full shape.
            begin: Where the box begins; by default at the beginning.
            size: The box's extents; by default to the end of the shape.
            output: Device address of memory for the box.
            stream: A CUDA stream's handle.
            seed_kind: One of SEED_KINDS.

        Returns:
            What launches it, as often as it is called.
        """
        begin = [0] * len(shape) if begin is None else begin
        size = [n - b for n, b in zip(shape, begin, strict=True)] if size is None else size
        boxes = [_int64s(values) for values in (shape, begin, size)]
        if isinstance(seed, int):
            seed_values = seed_address = seed
        else:
            item = ctypes.c_int32 if seed_kind == "host_int32" else ctypes.c_int64
            seed_values = (item * 2)(*seed)
            seed_address = ctypes.addressof(seed_values)
        arguments = Arguments(
            DISTRIBUTIONS.index(distribution),
            DTYPES.index(dtype),
            limit_or_stddev,
            len(shape),
            SEED_KINDS.index(seed_kind),
            *boxes,
            seed_address,
            output,
            stream,
        )
        return Launch(self, arguments, [boxes, seed_values])
