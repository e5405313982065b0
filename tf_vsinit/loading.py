"""Finding and loading the libraries that hold the op and its kernels."""

import contextlib
import ctypes
import functools
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import tensorflow as tf

from tf_vsinit import _libraries, _tensorflow_private

OP_TYPE = "VsinitStatelessVarianceScaling"
ROWS_OP_TYPE = "VsinitStatelessVarianceScalingRows"
ASSIGN_OP_TYPE = "VsinitAssignVarianceScaling"
OP_TYPES = (OP_TYPE, ROWS_OP_TYPE, ASSIGN_OP_TYPE)

_WRAPPER = "vsinit_stateless_variance_scaling"
# A symbol of the op library and of no other.
_OWN_SYMBOL = "tf_vsinit_instruction_set"


class Operations(Protocol):
    """The module of generated wrappers that TensorFlow makes of the op library."""

    # A static method, because a module's functions have no `self`.
    @staticmethod
    def vsinit_stateless_variance_scaling(
        shape: tf.Tensor,
        seed: tf.Tensor,
        begin: tf.Tensor,
        size: tf.Tensor,
        scale: tf.Tensor,
        dtype: tf.DType = tf.float32,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        input_axes: Sequence[int] = (),
        output_axes: Sequence[int] = (),
        batch: bool = False,
        axes_given: bool = False,
        stream: str = "vsinit",
        name: str | None = None,
    ) -> tf.Tensor:
        """Runs the op, or adds it to a graph. `stateless_variance_scaling` says what it draws."""

    @staticmethod
    def vsinit_stateless_variance_scaling_rows(
        shape: tf.Tensor,
        seed: tf.Tensor,
        rows: tf.Tensor,
        scale: tf.Tensor,
        dtype: tf.DType = tf.float32,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        input_axes: Sequence[int] = (),
        output_axes: Sequence[int] = (),
        axes_given: bool = False,
        stream: str = "vsinit",
        name: str | None = None,
    ) -> tf.Tensor:
        """The same for `stateless_variance_scaling_rows`."""

    @staticmethod
    def vsinit_assign_variance_scaling(
        shape: tf.Tensor,
        seed: tf.Tensor,
        begin: tf.Tensor,
        size: tf.Tensor,
        scale: tf.Tensor,
        resource: tf.Tensor,
        dtype: tf.DType = tf.float32,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        input_axes: Sequence[int] = (),
        output_axes: Sequence[int] = (),
        batch: bool = False,
        axes_given: bool = False,
        stream: str = "vsinit",
        name: str | None = None,
    ) -> tf.Operation | None:
        """Draws into the variable whose handle `resource` is. It has only a CPU kernel."""


@functools.cache
def load() -> Operations:
    """Loads the op library, and the library of its GPU kernels if TensorFlow has CUDA.

    `import tf_vsinit` does this already, and further calls do nothing. A process that only runs
    graphs or SavedModels that hold the op needs no more than this call or that import.

    Returns:
      The module of generated op wrappers, as `tf.load_op_library` gives it.

    Raises:
      ImportError: if there is no library for the TensorFlow that is running; if a library is
        missing, damaged, unreadable or not ours; or if another copy of it has registered the op in
        this process. The message says what to do.

    Example:

    >>> import tf_vsinit
    >>> hasattr(tf_vsinit.load(), "vsinit_stateless_variance_scaling")
    True
    """
    op_library, gpu_library = libraries().op_library, libraries().gpu_library
    libraries().check(op_library)
    _check_no_other_copy_is_loaded(op_library)
    module = _loaded_by(tf.load_op_library, op_library)
    if not hasattr(module, _WRAPPER):
        raise ImportError(
            f"The library {op_library} does not register the op {OP_TYPE}, so it is not the op "
            f"library of tf_vsinit: {_libraries.REPAIR}."
        )
    if why_no_gpu_kernels() is None and gpu_library is not None:
        libraries().check(gpu_library)
        # After the op, because its kernels are registered for the op.
        _loaded_by(tf.load_library, gpu_library)
    # Without this a gradient through an op is an error; with it, None. If this module was imported
    # before in this process, TensorFlow knows it already and says so by a KeyError.
    for op_type in OP_TYPES:
        with contextlib.suppress(KeyError):
            tf.no_gradient(op_type)
    return module


@functools.cache
def libraries() -> _libraries.Libraries:
    """Returns the libraries for the TensorFlow that is running; ImportError if there are none."""
    return _libraries.libraries_for(tf.__version__)


def why_no_gpu_kernels() -> str | None:
    """Returns why the op has no GPU kernels in this process, or None if it has them.

    They are loaded whether or not there is a GPU.
    """
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    if libraries().gpu_library is None:
        return "the build found no CUDA compiler"
    return None


def why_no_xla() -> str | None:
    """Returns why XLA cannot compile the op in this process, or None if it can."""
    if not libraries().has_xla:
        return f"the headers of TensorFlow {libraries().line} lack XLA's"
    return None


def instruction_set() -> str:
    """Returns the name of the instruction set that the CPU kernels use on this machine."""
    function = ctypes.CDLL(str(libraries().op_library)).tf_vsinit_instruction_set
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
    function = ctypes.CDLL(str(libraries().op_library)).tf_vsinit_use_instruction_set
    function.restype = ctypes.c_bool
    if not function(name.encode()):
        raise ValueError(
            "Argument `name` must be an instruction set of this machine, whose best is "
            f"{instruction_set()}. Received: {name!r}"
        )


def _check_no_other_copy_is_loaded(path: pathlib.Path) -> None:
    """Raises ImportError if another file has registered the op: to load both ends the process."""
    if not _tensorflow_private.op_is_registered(OP_TYPE) or _is_loaded(path):
        return
    other = next(filter(_registers_the_op, _loaded_files()), "another library")
    raise ImportError(
        f"This process has already loaded the tf_vsinit op library from {other}, so it cannot load "
        f"it from {path} as well: use one copy of tf_vsinit in a process."
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
            f"TensorFlow {tf.__version__} cannot load the tf_vsinit library {path}, built for "
            f"TensorFlow {libraries().tensorflow}: {reason}. If it was built for another machine, "
            "run `make build` in the tf_vsinit checkout to build it for this one."
        ) from None
