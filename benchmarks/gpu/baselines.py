"""The libraries that the GPU fill is compared with: torch, jax, and cuRAND through cupy."""

from __future__ import annotations

import os
from collections.abc import Callable

# Set before jax is imported, to leave memory for the others.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

STDDEV = 0.05

# Launches a draw without waiting for it. Raises an error if there is not enough memory.
Draw = Callable[[], object]


class Torch:
    """`torch.nn.init`, which fills a tensor in place."""

    name = "torch.nn.init"

    def __init__(self) -> None:
        """Raises ImportError without torch, and RuntimeError if torch finds no GPU."""
        import torch

        if not torch.cuda.is_available():
            raise RuntimeError("torch finds no GPU")
        self._torch = torch
        self.version = torch.__version__

    def prepare(self, distribution: str, dtype: str, count: int) -> Draw | None:
        """Returns a draw of `count` values, or None if the library has none of the kind."""
        init = self._torch.nn.init
        values = self._torch.empty(count, dtype=getattr(self._torch, dtype), device="cuda")
        if distribution == "uniform":
            return lambda: init.uniform_(values, -STDDEV, STDDEV)
        if distribution == "untruncated_normal":
            return lambda: init.normal_(values, 0.0, STDDEV)
        return lambda: init.trunc_normal_(values, 0.0, STDDEV, -2 * STDDEV, 2 * STDDEV)

    def finish(self) -> None:
        """Waits for all draws."""
        self._torch.cuda.synchronize()

    def release(self) -> None:
        """Frees the memory of past draws."""
        self._torch.cuda.empty_cache()


class Jax:
    """`jax.nn.initializers`, compiled. Every draw makes a new array."""

    def __init__(self, implementation: str) -> None:
        """Takes the name of a generator.

        Raises ImportError without jax, and RuntimeError if jax finds no GPU.
        """
        import jax

        jax.config.update("jax_enable_x64", True)
        if jax.default_backend() != "gpu":
            raise RuntimeError("jax finds no GPU")
        self._jax = jax
        self._key = jax.random.key(1, impl=implementation)
        self._last = None
        self.name = f"jax.nn.initializers ({implementation})"
        self.version = jax.__version__

    def prepare(self, distribution: str, dtype: str, count: int) -> Draw | None:
        """Returns a draw of `count` values."""
        mode = {"untruncated_normal": "normal"}.get(distribution, distribution)
        initializer = self._jax.nn.initializers.variance_scaling(1.0, "fan_in", mode)
        shape = (count // 1024, 1024)
        compiled = self._jax.jit(lambda key: initializer(key, shape, dtype))

        def draw() -> None:
            self._last = compiled(self._key)

        return draw

    def finish(self) -> None:
        """Waits for all draws."""
        self._jax.block_until_ready(self._last)

    def release(self) -> None:
        """Frees the memory of past draws."""
        self._last = None
        self._jax.clear_caches()


class CuRand:
    """cuRAND's Philox generator through cupy, neither truncated nor scaled."""

    name = "cuRAND Philox (cupy)"

    def __init__(self) -> None:
        """Raises ImportError without cupy, and cupy's own error if it finds no GPU."""
        import cupy
        from cupy_backends.cuda.libs import curand

        cupy.cuda.Device(0).use()
        self._cupy, self._curand = cupy, curand
        self._generator = curand.createGenerator(curand.CURAND_RNG_PSEUDO_PHILOX4_32_10)
        self.version = cupy.__version__

    def prepare(self, distribution: str, dtype: str, count: int) -> Draw | None:
        """Returns a draw of `count` values, or None if the library has none of the kind."""
        suffix = {"float32": "", "float64": "Double"}.get(dtype)
        if suffix is None or distribution == "truncated_normal":
            return None
        values = self._cupy.empty(count, dtype)
        if distribution == "uniform":
            generate = getattr(self._curand, f"generateUniform{suffix}")
            return lambda: generate(self._generator, values.data.ptr, count)
        generate = getattr(self._curand, f"generateNormal{suffix}")
        return lambda: generate(self._generator, values.data.ptr, count, 0.0, STDDEV)

    def finish(self) -> None:
        """Waits for all draws."""
        self._cupy.cuda.Device(0).synchronize()

    def release(self) -> None:
        """Frees the memory of past draws."""
        self._cupy.get_default_memory_pool().free_all_blocks()


def find() -> tuple[list[Torch | Jax | CuRand], list[str]]:
    """Returns the baselines that are installed, and a message for each that is not."""
    found, absent = [], []
    makers = {
        "torch": Torch,
        "jax (threefry2x32)": lambda: Jax("threefry2x32"),
        "jax (rbg)": lambda: Jax("rbg"),
        "cupy": CuRand,
    }
    for name, make in makers.items():
        # Whatever error one baseline raises, time the others.
        try:
            found.append(make())
        except Exception as error:
            absent.append(f"{name}: {str(error).splitlines()[0]}")
    return found, absent
