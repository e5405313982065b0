"""The functions of the CUDA driver that tests and benchmarks need, through ctypes.

Every machine with a card has the driver, so this module needs no CUDA package. It uses the primary
context of the device, as the CUDA runtime, torch, jax and cupy do.
"""

from __future__ import annotations

import ctypes
import functools

import numpy as np

_LIBRARY = "libcuda.so.1"
_COMPUTE_CAPABILITY = (75, 76)  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR


class CudaError(RuntimeError):
    """A call of the driver failed."""


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(_LIBRARY)


def _call(name: str, *arguments: object) -> None:
    """Calls a function of the driver.

    Raises:
        CudaError: The call failed. The message is the driver's.
    """
    error = getattr(_library(), name)(*arguments)
    if error:
        message = ctypes.c_char_p()
        _library().cuGetErrorString(error, ctypes.byref(message))
        text = (message.value or b"unknown error").decode()
        raise CudaError(f"{name}: {text} (error {error})")


def why_no_gpu() -> str | None:
    """Returns the reason why no GPU can be used, or None if one can."""
    try:
        current_device()
    except OSError:
        return f"no GPU driver: {_LIBRARY} cannot be loaded"
    except CudaError as error:
        return f"no GPU: {error}"
    return None


@functools.cache
def current_device() -> int:
    """Makes the primary context of the first GPU current, and returns the GPU's handle."""
    _call("cuInit", 0)
    device, context = ctypes.c_int(), ctypes.c_void_p()
    _call("cuDeviceGet", ctypes.byref(device), 0)
    _call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    _call("cuCtxSetCurrent", context)
    return device.value


def device_name() -> str:
    """The card's name, such as "NVIDIA H200"."""
    name = ctypes.create_string_buffer(256)
    _call("cuDeviceGetName", name, len(name), current_device())
    return name.value.decode()


def compute_capability() -> str:
    """The card's compute capability, such as "9.0"."""
    value = ctypes.c_int()
    numbers = []
    for attribute in _COMPUTE_CAPABILITY:
        _call("cuDeviceGetAttribute", ctypes.byref(value), attribute, current_device())
        numbers.append(str(value.value))
    return ".".join(numbers)


def driver_cuda_version() -> str:
    """The newest CUDA that the driver runs, such as "13.0"."""
    version = ctypes.c_int()
    _call("cuDriverGetVersion", ctypes.byref(version))
    return f"{version.value // 1000}.{version.value % 1000 // 10}"


def free_bytes() -> int:
    """The bytes of free device memory."""
    current_device()
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    _call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
    return free.value


def synchronize() -> None:
    """Waits for all work on the device.

    Raises:
        CudaError: Some of that work failed.
    """
    _call("cuCtxSynchronize")


class Memory:
    """Device memory. Deleting the object frees it."""

    def __init__(self, size: int) -> None:
        """Allocates `size` bytes.

        Raises:
            CudaError: There is not enough free memory.
        """
        current_device()
        self.size = size
        self.address = 0
        address = ctypes.c_uint64()
        _call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        self.address = address.value

    def __del__(self) -> None:
        """Frees the memory."""
        if self.address:
            _library().cuMemFree_v2(ctypes.c_uint64(self.address))

    def fill(self, byte: int, stream: int = 0) -> None:
        """Sets every byte, asynchronously on a CUDA stream."""
        _call(
            "cuMemsetD8Async",
            ctypes.c_uint64(self.address),
            ctypes.c_ubyte(byte),
            ctypes.c_size_t(self.size),
            ctypes.c_void_p(stream),
        )

    def read(self) -> np.ndarray:
        """Waits for all work on the device, and returns the bytes."""
        synchronize()
        values = np.empty(self.size, np.uint8)
        _call(
            "cuMemcpyDtoH_v2",
            ctypes.c_void_p(values.ctypes.data),
            ctypes.c_uint64(self.address),
            ctypes.c_size_t(self.size),
        )
        return values

    def write(self, values: np.ndarray) -> None:
        """Copies an array of the same number of bytes into the memory."""
        values = np.ascontiguousarray(values)
        _call(
            "cuMemcpyHtoD_v2",
            ctypes.c_uint64(self.address),
            ctypes.c_void_p(values.ctypes.data),
            ctypes.c_size_t(values.nbytes),
        )


class Capture:
    """A CUDA graph of the work that a with statement puts on `stream`."""

    def __init__(self) -> None:
        """Creates the stream."""
        current_device()
        self._stream, self._executable = ctypes.c_void_p(), ctypes.c_void_p()
        _call("cuStreamCreate", ctypes.byref(self._stream), 1)  # CU_STREAM_NON_BLOCKING

    def __del__(self) -> None:
        """Frees the graph and the stream."""
        if self._executable:
            _library().cuGraphExecDestroy(self._executable)
        if self._stream:
            _library().cuStreamDestroy_v2(self._stream)

    @property
    def stream(self) -> int:
        """The stream's handle."""
        return self._stream.value

    def __enter__(self) -> Capture:
        """Begins the capture."""
        _call("cuStreamBeginCapture_v2", self._stream, 2)  # CU_STREAM_CAPTURE_MODE_RELAXED
        return self

    def __exit__(self, *exception: object) -> None:
        """Ends the capture and instantiates the graph."""
        graph = ctypes.c_void_p()
        _call("cuStreamEndCapture", self._stream, ctypes.byref(graph))
        try:
            flags = ctypes.c_uint64(0)
            _call("cuGraphInstantiateWithFlags", ctypes.byref(self._executable), graph, flags)
        finally:
            _library().cuGraphDestroy(graph)

    def launch(self) -> None:
        """Launches the graph and waits until it is done."""
        _call("cuGraphLaunch", self._executable, self._stream)
        synchronize()
