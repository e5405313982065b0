"""The GPU fill (cc/gpu/fill.h) through ctypes, for tests and benchmarks."""

from __future__ import annotations

import ctypes
import os
import pathlib
from collections.abc import Sequence

# Links are not resolved: in a Bazel test, the sources are links and the library is beside them.
ROOT = pathlib.Path(__file__).absolute().parents[2]

# In the order of the enumerators in cc/gpu/fill.h.
STREAMS = ("vsinit", "tensorflow")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
DTYPES = ("float16", "bfloat16", "float32", "float64")
ITEM_SIZE = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
SEED_KINDS = ("host_int64", "host_int32", "device_int64", "device_int32")

_LIBRARY_NAME = "libvsinit_gpu.so"
# Where the library is in a Bazel test, after `bazelisk build`, and after benchmarks/gpu/run.sh.
_LIBRARY_FOLDERS = ("cc/gpu", "bazel-bin/cc/gpu", "out/gpu")


class GpuFillError(RuntimeError):
    """The library could not launch a fill, and returned `code`."""

    def __init__(self, code: int, message: str) -> None:
        """Takes the error code of the library, and its message."""
        super().__init__(f"{message} (error {code})")
        self.code = code


class Arguments(ctypes.Structure):
    """TfVsinitGpuFillArguments of cc/gpu/fill.h."""

    _fields_ = [
        ("distribution", ctypes.c_int32),
        ("stream", ctypes.c_int32),
        ("element_type", ctypes.c_int32),
        ("limit_or_stddev", ctypes.c_double),
        ("rank", ctypes.c_int32),
        ("seed_kind", ctypes.c_int32),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("begin", ctypes.POINTER(ctypes.c_int64)),
        ("size", ctypes.POINTER(ctypes.c_int64)),
        ("seed", ctypes.c_void_p),
        ("output", ctypes.c_void_p),
        ("cuda_stream", ctypes.c_void_p),
        ("rows", ctypes.c_void_p),
        ("rows_are_int64", ctypes.c_int32),
    ]


def find_library() -> pathlib.Path | None:
    """Returns the library that TF_VSINIT_GPU_LIBRARY names, or one built here, or None.

    Raises:
        FileNotFoundError: TF_VSINIT_GPU_LIBRARY is not the path of a file.
    """
    named = os.environ.get("TF_VSINIT_GPU_LIBRARY")
    if named:
        path = pathlib.Path(named)
        if not path.is_file():
            raise FileNotFoundError(f"TF_VSINIT_GPU_LIBRARY={named} is not a file")
        return path
    for folder in _LIBRARY_FOLDERS:
        path = ROOT / folder / _LIBRARY_NAME
        if path.is_file():
            return path
    return None


def _int64s(values: Sequence[int]) -> ctypes.Array:
    return (ctypes.c_int64 * len(values))(*values)


class Launch:
    """A fill that is ready to launch: calling the object launches it."""

    def __init__(self, library: GpuFill, arguments: Arguments, alive: list[object]) -> None:
        """Takes the arguments, and the objects that their pointers refer to."""
        self.arguments = arguments
        self._function = library.function
        self._message = library.message
        self._pointer = ctypes.byref(arguments)
        self._alive = alive

    def __call__(self) -> None:
        """Launches the fill, without waiting for it.

        Raises:
            GpuFillError: The library returned an error.
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
        """Returns the library's message for an error code."""
        return self._message(ctypes.c_int32(error)).decode()

    def exports(self, name: str) -> bool:
        """Returns whether the library exports a symbol of this name."""
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
        stream: str = "vsinit",
        cuda_stream: int = 0,
        seed_kind: str = "host_int64",
    ) -> Launch:
        """Prepares a fill.

        Args:
            distribution: One of DISTRIBUTIONS.
            dtype: One of DTYPES.
            limit_or_stddev: The limit of a uniform; for a normal, the standard deviation before
                truncation.
            seed: Two integers, or the device address of two.
            shape: The full shape.
            begin: The first element of the box. By default the origin.
            size: The extents of the box. By default, to the end of the shape.
            output: Device address of the memory to fill.
            stream: One of STREAMS.
            cuda_stream: Handle of a CUDA stream.
            seed_kind: One of SEED_KINDS.

        Returns:
            An object that launches the fill each time it is called.
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
            STREAMS.index(stream),
            DTYPES.index(dtype),
            limit_or_stddev,
            len(shape),
            SEED_KINDS.index(seed_kind),
            *boxes,
            seed_address,
            output,
            cuda_stream,
        )
        return Launch(self, arguments, [boxes, seed_values])
