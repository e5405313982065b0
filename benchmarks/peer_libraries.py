"""The libraries that peers.py compares: how each makes a new tensor of random values.

Nothing heavy is imported before a library is asked for, so that a process can bind itself to a CPU
first.
"""

from __future__ import annotations

import concurrent.futures
import ctypes
import functools
import importlib.metadata
import math
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

ITEMSIZES = {"float32": 4, "float64": 8, "bfloat16": 2, "float16": 2}
DTYPES = tuple(ITEMSIZES)
# The values of a call are [elements / COLUMNS, COLUMNS].
COLUMNS = 16
# The standard deviation of a standard normal truncated at two.
TRUNCATED_STDDEV = 0.87962566103423978


class Draw(NamedTuple):
    """The arguments of VarianceScaling."""

    scale: float
    mode: str
    distribution: str


DRAWS = {
    "he_normal": Draw(2.0, "fan_in", "truncated_normal"),
    "glorot_uniform": Draw(1.0, "fan_avg", "uniform"),
    "untruncated normal": Draw(2.0, "fan_in", "untruncated_normal"),
}

Shape = Sequence[int]
# Returns, for a draw, a dtype and a shape, a function that makes one new tensor.
Prepare = Callable[[Draw, str, Shape], Callable[[], object]]


class Library(NamedTuple):
    """A library that is installed, and the dtypes that it draws."""

    version: str
    prepare: Prepare
    dtypes: Sequence[str] = DTYPES


def find() -> tuple[dict[str, Library], dict[str, str]]:
    """Returns the libraries that are installed, by name, and why each of the others is not."""
    found, missing = {}, {}
    for name, load in _LOADERS.items():
        try:
            found[name] = load()
        except (ImportError, importlib.metadata.PackageNotFoundError) as error:
            missing[name] = f"{type(error).__name__}: {error}"
    return found, missing


def stddev(draw: Draw, shape: Shape) -> float:
    """Returns the standard deviation of a draw of shape [fan_in, fan_out]."""
    fan = shape[0] if draw.mode == "fan_in" else (shape[0] + shape[1]) / 2
    return math.sqrt(draw.scale / fan)


def _from_initializer(
    make: Callable, version: str, convert: Callable[[str], object] = str
) -> Library:
    """Returns a library whose initializers are those of Keras, or have the same arguments."""

    def prepare(draw: Draw, dtype: str, shape: Shape) -> Callable[[], object]:
        initializer, dtype_of_library = make(*draw, seed=1), convert(dtype)
        return lambda: initializer(shape, dtype=dtype_of_library)

    return Library(version, prepare)


def _tf_vsinit(stream: str) -> Library:
    import tf_vsinit

    make = functools.partial(tf_vsinit.VarianceScaling, stream=stream)
    return _from_initializer(make, tf_vsinit.__version__)


def _keras() -> Library:
    import keras

    return _from_initializer(keras.initializers.VarianceScaling, keras.__version__)


def _tf_keras() -> Library:
    import tf_keras

    return _from_initializer(tf_keras.initializers.VarianceScaling, tf_keras.__version__)


def _compat_v1() -> Library:
    import tensorflow as tf

    make = tf.compat.v1.variance_scaling_initializer
    return _from_initializer(make, tf.__version__, tf.as_dtype)


def _pytorch() -> Library:
    import torch

    def prepare(draw: Draw, dtype: str, shape: Shape) -> Callable[[], object]:
        empty = functools.partial(torch.empty, shape, dtype=getattr(torch, dtype))
        if draw.distribution == "uniform":
            return lambda: torch.nn.init.xavier_uniform_(empty())
        if draw.distribution == "untruncated_normal":
            # A kernel of PyTorch has its fan_in last.
            return lambda: torch.nn.init.kaiming_normal_(empty(), mode="fan_out")
        std = stddev(draw, shape) / TRUNCATED_STDDEV
        return lambda: torch.nn.init.trunc_normal_(empty(), 0.0, std, -2 * std, 2 * std)

    return Library(torch.__version__, prepare)


def _jax() -> Library:
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)

    def prepare(draw: Draw, dtype: str, shape: Shape) -> Callable[[], object]:
        distribution = draw.distribution.replace("untruncated_normal", "normal")
        initializer = jax.nn.initializers.variance_scaling(draw.scale, draw.mode, distribution)
        key = jax.random.key(1)
        compiled = jax.jit(lambda key: initializer(key, tuple(shape), dtype)).lower(key).compile()
        return lambda: compiled(key).block_until_ready()

    return Library(jax.__version__, prepare)


def _numpy() -> Library:
    import numpy as np

    generator = np.random.default_rng(1)

    def prepare(draw: Draw, dtype: str, shape: Shape) -> Callable[[], object]:
        std = stddev(draw, shape)

        def normal():
            values = generator.standard_normal(shape, dtype)
            values *= std
            return values

        def uniform():
            values = generator.random(shape, dtype)
            values -= 0.5
            values *= math.sqrt(12) * std
            return values

        return uniform if draw.distribution == "uniform" else normal

    return Library(np.__version__, prepare, ("float32", "float64"))


# Of mkl_vsl_defines.h.
_VSL_BRNG_PHILOX4X32X10 = 16 << 20
_VSL_RNG_METHOD_UNIFORM_STD = 0
_VSL_RNG_METHOD_GAUSSIAN_ICDF = 2
# Fewer elements than this are drawn by one thread: starting another takes longer.
_MKL_ELEMENTS_PER_THREAD = 2**16


def _mkl() -> Library:
    """Returns MKL's generators. They use one thread, so each CPU gets a stream and a thread."""
    import numpy as np

    files = importlib.metadata.files("mkl") or []
    library = next(file for file in files if file.name.startswith("libmkl_rt.so"))
    # The generators have no threads of their own, and OpenMP's would wait busily beside others.
    os.environ["MKL_THREADING_LAYER"] = "SEQUENTIAL"
    mkl = ctypes.CDLL(os.fspath(library.locate()))
    cpus = len(os.sched_getaffinity(0))
    pool = concurrent.futures.ThreadPoolExecutor(cpus)
    streams = [ctypes.c_void_p() for _ in range(cpus)]
    for number, stream in enumerate(streams):
        mkl.vslNewStream(ctypes.byref(stream), _VSL_BRNG_PHILOX4X32X10, 1)
        mkl.vslSkipAheadStream(stream, ctypes.c_longlong(number << 40))

    def prepare(draw: Draw, dtype: str, shape: Shape) -> Callable[[], object]:
        std = stddev(draw, shape)
        prefix, real = {"float32": ("vs", ctypes.c_float), "float64": ("vd", ctypes.c_double)}[
            dtype
        ]
        if draw.distribution == "uniform":
            function = getattr(mkl, f"{prefix}RngUniform")
            method, parameters = (
                _VSL_RNG_METHOD_UNIFORM_STD,
                (-math.sqrt(3) * std, math.sqrt(3) * std),
            )
        else:
            function = getattr(mkl, f"{prefix}RngGaussian")
            method, parameters = _VSL_RNG_METHOD_GAUSSIAN_ICDF, (0.0, std)
        elements = math.prod(shape)
        threads = max(1, min(cpus, elements // _MKL_ELEMENTS_PER_THREAD))
        bounds = [elements * i // threads for i in range(threads + 1)]

        def fill(stream: ctypes.c_void_p, address: int, count: int) -> None:
            function(method, stream, count, ctypes.c_void_p(address), *map(real, parameters))

        def draw_values() -> object:
            values = np.empty(shape, dtype)
            start = values.ctypes.data
            addresses = [start + bound * values.itemsize for bound in bounds[:-1]]
            counts = [b - a for a, b in zip(bounds, bounds[1:], strict=False)]
            if threads == 1:
                fill(streams[0], start, elements)
            else:
                list(pool.map(fill, streams, addresses, counts))
            return values

        return draw_values

    return Library(importlib.metadata.version("mkl"), prepare, ("float32", "float64"))


def _memset() -> Library:
    import numpy as np

    def prepare(draw: Draw, dtype: str, shape: Shape) -> Callable[[], object]:
        size = math.prod(shape) * ITEMSIZES[dtype]

        def fill() -> object:
            values = np.empty(size, np.uint8)
            ctypes.memset(values.ctypes.data, 1, size)
            return values

        return fill

    return Library(" ".join(os.confstr("CS_GNU_LIBC_VERSION").split()), prepare)


def _tf_fill() -> Library:
    import tensorflow as tf

    def prepare(draw: Draw, dtype: str, shape: Shape) -> Callable[[], object]:
        value = tf.constant(1.0, dtype)
        return lambda: tf.fill(shape, value)

    return Library(tf.__version__, prepare)


# In the order of tables. The last two write a constant.
_LOADERS: dict[str, Callable[[], Library]] = {
    "tf_vsinit": functools.partial(_tf_vsinit, "vsinit"),
    'tf_vsinit, stream="tensorflow"': functools.partial(_tf_vsinit, "tensorflow"),
    "Keras 3": _keras,
    "tf_keras": _tf_keras,
    "compat.v1": _compat_v1,
    "PyTorch": _pytorch,
    "JAX": _jax,
    "NumPy": _numpy,
    "MKL": _mkl,
    "memset": _memset,
    "tf.fill": _tf_fill,
}
NAMES = tuple(_LOADERS)
LIMITS = ("memset", "tf.fill")
