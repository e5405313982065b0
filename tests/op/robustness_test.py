"""Draws when memory runs out, after a fork, at exit, under signals and in other rounding modes."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import platform
import signal
import threading
import time

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes, xla
from tests.support.bits import assert_same_bits

WAYS = ["eager", "graph", "compiled"]
if not xla.IS_SUPPORTED:
    WAYS.remove("compiled")
# Enough elements for several threads.
LARGE = [1500, 1003]


def draw(shape, seed=(1, 2), **options):
    return tf_vsinit.stateless_variance_scaling(shape, seed, **options)


class MemoryTest(absltest.TestCase):
    """A draw that does not fit into memory is an error, and the process lives on."""

    PROGRAM = """
import re, resource
import numpy as np, tensorflow as tf, tf_vsinit

ROWS, COLUMNS = 2**14, 2**13  # 512 MiB
variable = tf.Variable(tf.zeros([2, 3]), shape=tf.TensorShape(None))
draws = {
    "draw": lambda rows: tf_vsinit.stateless_variance_scaling([rows, COLUMNS], [1, 2]),
    "rows": lambda rows: tf_vsinit.stateless_variance_scaling_rows(
        [rows, COLUMNS], [1, 2], tf.range(rows)),
    "initializer": lambda rows: tf_vsinit.HeNormal(seed=1)([rows, COLUMNS]),
}
small = {name: draw(2).numpy() for name, draw in draws.items()}
held = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1]) << 10
resource.setrlimit(resource.RLIMIT_AS, (held + (256 << 20), resource.RLIM_INFINITY))
for name, draw in draws.items():
    try:
        draw(ROWS)
    except tf.errors.ResourceExhaustedError as error:
        assert f"[{ROWS},{COLUMNS}]" in str(error), error
        print(name, "ResourceExhausted")
    np.testing.assert_array_equal(draw(2), small[name])
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(draws["draw"](ROWS).shape)
"""

    def test_the_error_names_the_shape_and_later_draws_work(self):
        lines = processes.output_of("-c", self.PROGRAM).splitlines()
        refused = [f"{name} ResourceExhausted" for name in ("draw", "rows", "initializer")]
        self.assertEqual(lines, [*refused, "(16384, 8192)"])


class ForkTest(absltest.TestCase):
    """A forked process draws, although it has none of the threads of TensorFlow's pools.

    This holds for eager draws, which run in the thread of the caller. A tf.function needs a thread
    of a pool, so it hangs in a forked process, whatever its ops are.
    """

    PROGRAM = """
import hashlib, os, signal, sys
import tensorflow as tf, tf_vsinit

def digest():
    values = [
        tf_vsinit.stateless_variance_scaling(shape, [1, 2], dtype=dtype).numpy()
        for shape in ([7, 3], [1500, 1003]) for dtype in (tf.float32, tf.float64)
    ]
    return hashlib.sha256(b"".join(value.tobytes() for value in values)).hexdigest()

print(digest(), flush=True)
child = os.fork()
if child == 0:
    signal.alarm(60)  # ends the child
    print(digest(), flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
print(digest())
sys.exit(status)
"""

    def test_the_child_draws_what_its_parent_draws(self):
        digests = processes.output_of("-c", self.PROGRAM).split()
        self.assertLen(digests, 3)
        self.assertLen(set(digests), 1)


class ExitTest(parameterized.TestCase):
    """A process that ends while threads draw neither crashes nor hangs."""

    PROGRAM = """
import os, signal, sys, threading, time
import tensorflow as tf, tf_vsinit

started = threading.Barrier(4)

def draw_for_ever():
    started.wait()
    while True:
        tf_vsinit.stateless_variance_scaling([1500, 1003], [1, 2])

for _ in range(3):
    threading.Thread(target=draw_for_ever, daemon=True).start()
started.wait()
time.sleep(0.3)
if sys.argv[1] == "sys.exit":
    sys.exit(3)
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
"""

    @parameterized.parameters(("sys.exit", 3), ("SIGTERM", -signal.SIGTERM))
    def test_the_exit_status_is_the_one_asked_for(self, way, status):
        result = processes.run("-c", self.PROGRAM, way)
        self.assertEqual(result.returncode, status, result.stderr)


class SignalsTest(absltest.TestCase):
    """A signal neither changes a value nor is it lost."""

    def test_a_timer_that_interrupts_draws(self):
        caught = []
        want = draw(LARGE)
        previous = signal.signal(signal.SIGALRM, lambda *_: caught.append(1))
        signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)
        try:
            values = [draw(LARGE) for _ in range(20)]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
        self.assertGreater(len(caught), 5)
        for value in values:
            assert_same_bits(value, want)

    def test_a_keyboard_interrupt_ends_a_loop_of_draws(self):
        want = draw(LARGE)
        end = time.monotonic() + 60
        with self.assertRaises(KeyboardInterrupt):
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            while time.monotonic() < end:
                draw(LARGE)
        assert_same_bits(draw(LARGE), want)


ROUNDING_MODES = {
    # From fenv.h.
    "x86_64": {"to nearest": 0, "downward": 0x400, "upward": 0x800, "toward zero": 0xC00},
    "aarch64": {"to nearest": 0, "upward": 0x400000, "downward": 0x800000, "toward zero": 0xC00000},
}.get(platform.machine(), {})
FLUSHES_SUBNORMALS = (False, True) if platform.machine() == "x86_64" else (False,)


@contextlib.contextmanager
def floating_point(rounding: int, flush_subnormals: bool):
    """Sets the rounding mode of this thread, and whether it takes subnormals for zeros."""
    c = ctypes.CDLL("libm.so.6")
    saved = ctypes.create_string_buffer(64)  # more than a fenv_t
    c.fegetenv(saved)
    if flush_subnormals:
        environment = ctypes.create_string_buffer(saved.raw)
        mxcsr = ctypes.c_uint32.from_buffer(environment, 28)
        mxcsr.value |= 0x8040  # flush to zero, denormals are zeros
        c.fesetenv(environment)
    c.fesetround(rounding)
    try:
        yield
    finally:
        found = c.fegetround()
        c.fesetenv(saved)
    if found != rounding:
        raise AssertionError(f"the rounding mode {rounding:#x} has become {found:#x}")


class FloatingPointTest(parameterized.TestCase):
    """The values do not depend on the rounding mode of a thread, nor on its flushing subnormals."""

    # The first scales are rounded differently in each mode; those of the last values are subnormal.
    OPTIONS = [
        dict(distribution=distribution, scale=scale, dtype=dtype, stream=stream)
        for distribution, (dtype, scale), stream in itertools.product(
            ("truncated_normal", "uniform"),
            ((tf.float64, 1.7), (tf.float64, 0.3), (tf.float32, 1e-77)),
            ("vsinit", "tensorflow"),
        )
    ]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # From the reference, because TensorFlow's own threads flush subnormals: without the op's
        # guard, two draws would be wrong alike. [300, 1003] has elements for two threads.
        cls.draws = list(itertools.product(([7, 3], [300, 1003]), cls.OPTIONS))
        cls.wanted = [
            tf_vsinit.reference.stateless_variance_scaling(
                tuple(shape), (1, 2), **{**options, "dtype": options["dtype"].as_numpy_dtype}
            )
            for shape, options in cls.draws
        ]

    def test_the_modes_can_be_set(self):
        one = np.ones(1, np.float32)
        tiny = np.full(1, 1e-40, np.float32)
        if not ROUNDING_MODES:
            self.skipTest(f"no rounding modes are listed for {platform.machine()}")
        with floating_point(ROUNDING_MODES["upward"], FLUSHES_SUBNORMALS[-1]):
            above_one, product = one + np.float32(1e-10), tiny * one
        self.assertGreater(above_one[0], 1)
        self.assertEqual(product[0] == 0, FLUSHES_SUBNORMALS[-1])

    @parameterized.parameters(*itertools.product(WAYS, ROUNDING_MODES.values()))
    def test_draws(self, way, rounding):
        for (shape, options), want in zip(self.draws, self.wanted, strict=True):
            function = lambda shape=shape, options=options: draw(shape, **options)  # noqa: E731
            if way != "eager":
                function = tf.function(function, jit_compile=way == "compiled", autograph=False)
            for flush_subnormals in FLUSHES_SUBNORMALS:
                with floating_point(rounding, flush_subnormals):
                    found = function()
                assert_same_bits(found, want)


if __name__ == "__main__":
    absltest.main()
