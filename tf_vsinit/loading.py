"""Finding and loading the libraries that hold the op and its kernels."""

import ctypes
import functools
import importlib
import pathlib
import types

import tensorflow as tf

LIBRARY_PATH = pathlib.Path(__file__).with_name("_vsinit_ops.so")
# The kernels for GPUs, of an op that the library above registers. Built where there is a CUDA
# compiler.
GPU_LIBRARY_PATH = LIBRARY_PATH.with_name("_vsinit_gpu.so")
OP_TYPE = "VsinitStatelessVarianceScaling"


@functools.cache
def load() -> types.ModuleType:
    """Loads the op library, and that of its GPU kernels if it can serve; further calls do nothing.

    `import tf_vsinit` does this already. A process that only has to run graphs or SavedModels
    holding the op needs no more than this call or that import.

    Returns:
      The module of generated op wrappers, as `tf.load_op_library` gives it.

    Raises:
      ImportError: if the op library is missing, or a library was built for another TensorFlow
        than the one running. The message says what to do.

    Example:

    >>> import tf_vsinit
    >>> hasattr(tf_vsinit.load(), "vsinit_stateless_variance_scaling")
    True
    """
    _check_library_is_there()
    _check_built_for_this_tensorflow()
    module = _loaded_by(tf.load_op_library, LIBRARY_PATH)
    if why_no_gpu_kernels() is None:
        # After the op, which its kernels are registered for.
        _loaded_by(tf.load_library, GPU_LIBRARY_PATH)
    # Without this a gradient through the op is an error; with it, None.
    tf.no_gradient(OP_TYPE)
    return module


def why_no_gpu_kernels() -> str | None:
    """Returns why the op has no GPU kernels in this process, None if it has them.

    They are loaded whether or not there is a GPU.
    """
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    if not GPU_LIBRARY_PATH.exists():
        return "the build found no CUDA compiler"
    return None


def built_for_tensorflow() -> str | None:
    """Returns the TensorFlow version the library was built for, None if the build left no note."""
    try:
        build_info = importlib.import_module("tf_vsinit._build_info")
    except ModuleNotFoundError:
        return None
    return build_info.BUILT_FOR_TENSORFLOW


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
        ValueError: The machine does not have that instruction set.
    """
    function = ctypes.CDLL(str(LIBRARY_PATH)).tf_vsinit_use_instruction_set
    function.restype = ctypes.c_bool
    if not function(name.encode()):
        raise ValueError(
            "Argument `name` must be an instruction set of this machine, whose best is "
            f"{instruction_set()}. Received: {name!r}"
        )


def _loaded_by(loader, path: pathlib.Path):
    try:
        return loader(str(path))
    except (tf.errors.OpError, OSError, RuntimeError):
        # The loader's own words are an undefined symbol or a missing file, neither of which says
        # what to do; hence `from None`.
        raise ImportError(
            f"TensorFlow {tf.__version__} cannot load the tf_vsinit op library {path}, which was "
            "built for another TensorFlow or another machine: run `make build` in the tf_vsinit "
            "checkout to build it for this one."
        ) from None


def _check_library_is_there() -> None:
    if not LIBRARY_PATH.exists():
        raise ImportError(
            f"The tf_vsinit op library {LIBRARY_PATH} has not been built: run `make build` in the "
            "tf_vsinit checkout."
        )


def _check_built_for_this_tensorflow() -> None:
    built_for = built_for_tensorflow()
    # C++ symbols change between TensorFlow releases, so only the same version is safe.
    if built_for is not None and built_for != tf.__version__:
        raise ImportError(
            f"tf_vsinit was built for TensorFlow {built_for} but TensorFlow {tf.__version__} is "
            "running: run `make build` in the tf_vsinit checkout to rebuild it, or "
            f"`pip install tensorflow=={built_for}`."
        )
