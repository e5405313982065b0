"""The GPU fill, called through its C interface, gives the bits of the golden files.

The tests need no TensorFlow. Some need a GPU and are skipped without one, unless
TF_VSINIT_REQUIRE_GPU=1 makes them fail.
"""

import hashlib
import itertools
import os
import pathlib
import shutil
import tempfile
import unittest
from unittest import mock

import numpy as np

from tests.support import golden, repository

cuda_driver = repository.import_script("benchmarks/gpu/cuda_driver.py")
gpu_fill = repository.import_script("benchmarks/gpu/gpu_fill.py")

GUARD = 64  # bytes, on both sides of an output
GUARD_BYTE = 0x5A


def require_library():
    path = gpu_fill.find_library()
    if path is None:
        raise unittest.SkipTest("libvsinit_gpu.so is not built: there is no nvcc here")
    return gpu_fill.GpuFill(path)


class FindLibraryTest(unittest.TestCase):
    def find(self, *folders):
        """Returns the folder found in a checkout that has libraries in the given folders."""
        with tempfile.TemporaryDirectory() as root:
            for folder in folders:
                library = pathlib.Path(root, folder, "libvsinit_gpu.so")
                library.parent.mkdir(parents=True)
                library.touch()
            with mock.patch.object(gpu_fill, "ROOT", pathlib.Path(root)):
                with mock.patch.dict(os.environ):
                    os.environ.pop("TF_VSINIT_GPU_LIBRARY", None)
                    path = gpu_fill.find_library()
            return path and str(path.parent.relative_to(root))

    def test_the_library_of_bazel_comes_before_that_of_the_benchmark(self):
        self.assertIsNone(self.find())
        self.assertEqual(self.find("out/gpu"), "out/gpu")
        self.assertEqual(self.find("out/gpu", "bazel-bin/cc/gpu"), "bazel-bin/cc/gpu")
        self.assertEqual(self.find("out/gpu", "bazel-bin/cc/gpu", "cc/gpu"), "cc/gpu")


class InterfaceTest(unittest.TestCase):
    """Calls that need no GPU."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = require_library()

    def launch(self, **changed):
        arguments = {
            "distribution": "uniform",
            "dtype": "float32",
            "limit_or_stddev": 1.0,
            "seed": (1, 2),
            "shape": [4, 6],
            "output": 4096,
        }
        return self.library.prepare(**(arguments | changed))

    def test_an_error_names_the_argument(self):
        def field(name, value):
            launch = self.launch()
            setattr(launch.arguments, name, value)
            return launch

        cases = {
            "distribution": field("distribution", 3),
            "stream": field("stream", 2),
            "element_type": field("element_type", -1),
            "seed_kind": field("seed_kind", 4),
            "seed and output must not be null": field("seed", None),
            "output must not be null": self.launch(output=0),
            "shape, begin, size": field("shape", None),
            "inside shape": self.launch(begin=[0, 3], size=[4, 4]),
            "must lie inside": self.launch(begin=[0, -1], size=[4, 4]),
            "must fit int64": self.launch(shape=[1 << 32, 1 << 31], size=[1, 1]),
            "begin and size": field("rank", -1),
            "must be aligned": self.launch(output=4098),
        }
        for message, launch in cases.items():
            with self.subTest(message), self.assertRaisesRegex(gpu_fill.GpuFillError, message):
                launch()

    def test_an_empty_box_launches_nothing(self):
        self.launch(size=[0, 6], output=0)()
        self.launch(shape=[0, 6], output=0)()

    def test_without_a_driver_the_error_comes_from_cuda(self):
        if not cuda_driver.why_no_gpu():
            self.skipTest("there is a GPU")
        with self.assertRaises(gpu_fill.GpuFillError) as caught:
            self.launch()()
        self.assertGreater(caught.exception.code, 0)
        self.assertRegex(str(caught.exception), "CUDA|device")

    def test_unknown_error_codes_have_a_message(self):
        for code in (-100, 123456):
            self.assertNotEqual(self.library.message(code), "")

    def test_the_library_does_not_export_the_cuda_runtime(self):
        for name in ("cudaMalloc", "cudaLaunchKernel", "cudaGetLastError"):
            self.assertFalse(self.library.exports(name), name)
        self.assertTrue(self.library.exports("TfVsinitGpuFill"))


class Driver:
    """Replaces the CUDA driver: records the functions called and returns handles."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        def call(*arguments):
            self.calls.append(name)
            for argument in arguments:
                if hasattr(argument, "_obj"):
                    argument._obj.value = len(self.calls)
            return 0

        return call


class CaptureTest(unittest.TestCase):
    def test_a_capture_destroys_what_it_creates(self):
        driver = Driver()
        with mock.patch.object(cuda_driver, "_library", lambda: driver):
            with mock.patch.object(cuda_driver, "current_device", lambda: 0):
                with cuda_driver.Capture() as graph:
                    self.assertIsInstance(graph.stream, int)
                graph.launch()
                del graph
        for made, destroyed in (
            ("cuStreamCreate", "cuStreamDestroy_v2"),
            ("cuStreamEndCapture", "cuGraphDestroy"),
            ("cuGraphInstantiateWithFlags", "cuGraphExecDestroy"),
        ):
            self.assertEqual(driver.calls.count(made), 1)
            self.assertEqual(driver.calls.count(destroyed), 1, destroyed)


class GpuTest(unittest.TestCase):
    """Calls that need a GPU."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        why_not = cuda_driver.why_no_gpu()
        if why_not:
            if os.environ.get("TF_VSINIT_REQUIRE_GPU") == "1":
                raise AssertionError(why_not)
            raise unittest.SkipTest(why_not)
        cls.library = require_library()

    def draw(self, distribution, dtype, factor, seed, shape, begin=None, size=None, **options):
        """Draws at `shift` elements off alignment. Checks the guards and returns the bytes."""
        shift = options.pop("shift", 0) * gpu_fill.ITEM_SIZE[dtype]
        begin = [0] * len(shape) if begin is None else begin
        size = [n - b for n, b in zip(shape, begin, strict=True)] if size is None else size
        count = int(np.prod(size, dtype=np.int64)) * gpu_fill.ITEM_SIZE[dtype]
        memory = cuda_driver.Memory(count + shift + 2 * GUARD)
        memory.fill(GUARD_BYTE)
        self.library.prepare(
            distribution,
            dtype,
            factor,
            seed,
            shape,
            begin,
            size,
            output=memory.address + GUARD + shift,
            **options,
        )()
        values = memory.read()
        first = GUARD + shift
        np.testing.assert_array_equal(values[:first], GUARD_BYTE)
        np.testing.assert_array_equal(values[first + count :], GUARD_BYTE)
        return values[first : first + count]

    def test_golden_elements(self):
        files = {"vsinit": "stream_v1.txt", "tensorflow": "stream_tensorflow.txt"}
        for stream, file in files.items():
            for fields, results in golden.vectors(file, "element"):
                dtype, distribution, factor, seed0, seed1, first = fields
                box = ([2**63 - 1], [int(first)], [len(results)])
                seed = (int(seed0), int(seed1))
                item_size = gpu_fill.ITEM_SIZE[dtype]
                for shift in range(16 // item_size):
                    got = self.draw(
                        distribution, dtype, golden.double(factor), seed, *box,
                        stream=stream, shift=shift,
                    )  # fmt: skip
                    bits = golden.hexadecimal(got.view(f"u{item_size}"))
                    self.assertEqual(bits, results, (stream, fields, shift))

    def test_checksums_of_large_draws(self):
        for fields, results in golden.vectors("checksums.txt", "fill"):
            stream, dtype, distribution, factor, seed0, seed1, *box = fields
            seed = (int(seed0), int(seed1))
            box = [golden.integers(field) for field in box]
            with self.subTest(" ".join(fields)):
                factor = golden.double(factor)
                got = self.draw(distribution, dtype, factor, seed, *box, stream=stream)
                self.assertEqual([hashlib.sha256(got).hexdigest()], results)

    def test_every_alignment_and_length_gives_values_of_the_whole(self):
        for stream, dtype in itertools.product(gpu_fill.STREAMS, gpu_fill.DTYPES):
            item_size = gpu_fill.ITEM_SIZE[dtype]
            kind = ("truncated_normal", dtype, 0.1, (3, 4), [100])
            whole = self.draw(*kind, stream=stream)
            for shift in range(0, 16 // item_size):
                for first in range(9):
                    for count in (1, 2, 3, 5, 8, 33):
                        got = self.draw(*kind, [first], [count], stream=stream, shift=shift)
                        want = whole[first * item_size :][: count * item_size]
                        np.testing.assert_array_equal(got, want)

    def test_every_kind_of_seed_gives_the_same_values(self):
        for seed in ((0, 0), (-1, 7), (2**31 - 1, -(2**31))):
            want = self.draw("uniform", "float32", 1.0, seed, [1000])
            for item in ("int32", "int64"):
                got = self.draw("uniform", "float32", 1.0, seed, [1000], seed_kind=f"host_{item}")
                np.testing.assert_array_equal(got, want)
                values = np.array(seed, item)
                memory = cuda_driver.Memory(values.nbytes)
                memory.write(values)
                kind = f"device_{item}"
                address = memory.address
                got = self.draw("uniform", "float32", 1.0, address, [1000], seed_kind=kind)
                np.testing.assert_array_equal(got, want)

    def test_a_graph_can_capture_the_first_draw_and_repeat_it(self):
        box = ("untruncated_normal", "float64", 1.0, (1, 2), [30, 41], [1, 3], [20, 21])
        want = self.draw(*box)
        memory = cuda_driver.Memory(want.nbytes)
        # A copy of the library has not drawn yet, unlike the one of the other tests.
        with tempfile.TemporaryDirectory() as folder:
            copy = gpu_fill.GpuFill(shutil.copy(gpu_fill.find_library(), folder))
        with cuda_driver.Capture() as graph:
            copy.prepare(*box, output=memory.address, cuda_stream=graph.stream)()
        for _ in range(2):
            memory.fill(GUARD_BYTE)
            cuda_driver.synchronize()
            graph.launch()
            np.testing.assert_array_equal(memory.read(), want)


if __name__ == "__main__":
    unittest.main()
