"""Finding and loading the libraries that hold the op and its kernels."""

import contextlib
import ctypes
import functools
import importlib
import os
import pathlib
import types
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_vsinit import _tensorflow_private

LIBRARY_PATH = pathlib.Path(__file__).with_name("_vsinit_ops.so")
# The kernels for GPUs, of the op that the library above registers. Only builds with a CUDA compiler
# have it.
GPU_LIBRARY_PATH = LIBRARY_PATH.with_name("_vsinit_gpu.so")
OP_TYPE = "VsinitStatelessVarianceScaling"

_WRAPPER = "vsinit_stateless_variance_scaling"
# A symbol of the op library and of no other.
_OWN_SYMBOL = "tf_vsinit_instruction_set"
_REBUILD = "run `make build` in the tf_vsinit checkout"


@functools.cache
def load() -> types.ModuleType:
    """Loads the op library, and the library of its GPU kernels if TensorFlow has CUDA.

    `import tf_vsinit` does this already, and further calls do nothing. A process that only runs
    graphs or SavedModels that hold the op needs no more than this call or that import.

    Returns:
      The module of generated op wrappers, as `tf.load_op_library` gives it.

    Raises:
      ImportError: if a library is missing, cut short, unreadable or not ours; if it was built for
        another TensorFlow than the one running; or if another copy of it has registered the op in
        this process. The message says what to do.

    Example:

    >>> import tf_vsinit
    >>> hasattr(tf_vsinit.load(), "vsinit_stateless_variance_scaling")
    True
    """
    _check_built_for_this_tensorflow()
    _check_file(LIBRARY_PATH)
    _check_no_other_copy_is_loaded()
    module = _loaded_by(tf.load_op_library, LIBRARY_PATH)
    if not hasattr(module, _WRAPPER):
        raise ImportError(
            f"The library {LIBRARY_PATH} does not register the op {OP_TYPE}, so it is not the op "
            f"library of tf_vsinit: {_REBUILD}."
        )
    if why_no_gpu_kernels() is None:
        _check_file(GPU_LIBRARY_PATH)
        # After the op, because its kernels are registered for the op.
        _loaded_by(tf.load_library, GPU_LIBRARY_PATH)
    # Without this a gradient through the op is an error; with it, None. If this module was imported
    # before in this process, TensorFlow knows it already and says so by a KeyError.
    with contextlib.suppress(KeyError):
        tf.no_gradient(OP_TYPE)
    return module


def why_no_gpu_kernels() -> str | None:
    """Returns why the op has no GPU kernels in this process, or None if it has them.

    They are loaded whether or not there is a GPU.
    """
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    if not GPU_LIBRARY_PATH.exists():
        return "the build found no CUDA compiler"
    return None


def built_for_tensorflow() -> str | None:
    """Returns the TensorFlow version the library was built for, or None if it is not noted."""
    return _noted_by_the_build("BUILT_FOR_TENSORFLOW")


def instruction_set() -> str:
    """Returns the name of the instruction set that the CPU kernels use on this machine."""
    function = ctypes.CDLL(str(LIBRARY_PATH)).tf_vsinit_instruction_set
    function.restype = ctypes.c_char_p
    return function().decode()


def use_instruction_set(name: str) -> None:
    """Makes the CPU kernels use another instruction set, to compare their speeds.

    The values do not depend on it.

    Args:
      name: "AVX3" (AVX-512), "AVX2", "NEON" or "scalar"; "" goes back to the machine's best.

    Raises:
      ValueError: if the machine does not have that instruction set.
    """
    function = ctypes.CDLL(str(LIBRARY_PATH)).tf_vsinit_use_instruction_set
    function.restype = ctypes.c_bool
    if not function(name.encode()):
        raise ValueError(
            "Argument `name` must be an instruction set of this machine, whose best is "
            f"{instruction_set()}. Received: {name!r}"
        )


def _noted_by_the_build(name: str) -> Any:
    try:
        build_info = importlib.import_module("tf_vsinit._build_info")
    except ModuleNotFoundError:
        return None
    return getattr(build_info, name, None)


def _check_built_for_this_tensorflow() -> None:
    built_for = built_for_tensorflow()
    # C++ symbols change between TensorFlow releases, so only the same version is safe.
    if built_for is not None and built_for != tf.__version__:
        raise ImportError(
            f"tf_vsinit was built for TensorFlow {built_for} but TensorFlow {tf.__version__} is "
            f"running: {_REBUILD} to rebuild it, or `pip install tensorflow=={built_for}`."
        )


def _check_file(path: pathlib.Path) -> None:
    """Raises ImportError for a library that is not there, unreadable or cut short."""
    if not path.exists():
        raise ImportError(f"The tf_vsinit op library {path} has not been built: {_REBUILD}.")
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise ImportError(f"The tf_vsinit op library {path} cannot be read: {error}.") from None
    # To load a library that is cut short can end the process by a SIGBUS.
    built_size = (_noted_by_the_build("LIBRARY_SIZES") or {}).get(path.name, 0)
    if size < built_size:
        raise ImportError(
            f"The tf_vsinit op library {path} is cut short: it has {size} bytes, and the build "
            f"wrote {built_size}. Copy or install it again, or {_REBUILD}."
        )


def _check_no_other_copy_is_loaded() -> None:
    """Raises ImportError if another file has registered the op: to load both ends the process."""
    if not _tensorflow_private.op_is_registered(OP_TYPE) or _is_loaded(LIBRARY_PATH):
        return
    other = next(filter(_registers_the_op, _loaded_files()), "another library")
    raise ImportError(
        f"This process has already loaded the tf_vsinit op library from {other}, so it cannot load "
        f"it from {LIBRARY_PATH} as well: use one copy of tf_vsinit in a process."
    )


def _loaded_files() -> list[str]:
    with open("/proc/self/maps") as maps:
        fields = [line.split(maxsplit=5) for line in maps]
    return sorted({line[5].strip() for line in fields if len(line) == 6 and "x" in line[1]})


def _is_loaded(path: str | pathlib.Path) -> bool:
    return _loaded_library(path) is not None


def _registers_the_op(path: str) -> bool:
    return hasattr(_loaded_library(path), _OWN_SYMBOL)


def _loaded_library(path: str | pathlib.Path) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(path), mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    except OSError:
        return None


def _loaded_by(loader: Callable, path: pathlib.Path) -> Any:
    try:
        return loader(str(path))
    except (tf.errors.OpError, OSError, RuntimeError) as error:
        # The loader says what is wrong and not what to do.
        reason = str(getattr(error, "message", error)).removeprefix(f"{path}: ").partition("\n")[0]
        raise ImportError(
            f"TensorFlow {tf.__version__} cannot load the tf_vsinit op library {path}: {reason}. "
            "If it was built for another TensorFlow or another machine, "
            f"{_REBUILD} to build it for this one."
        ) from None
