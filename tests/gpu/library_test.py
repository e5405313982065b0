"""The GPU library on machines without a GPU: its symbols, its kernels, and the import."""

import ctypes
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import tensorflow as tf
from absl.testing import absltest
from tensorflow.python.framework import kernels

import tf_vsinit
from tests.support import processes
from tf_vsinit import loading

PACKAGE = pathlib.Path(tf_vsinit.__file__).parent
IS_LOADED = loading.why_no_gpu_kernels() is None
INPUTS = {
    loading.OP_TYPE: ["shape", "seed", "begin", "size", "scale"],
    loading.ROWS_OP_TYPE: ["shape", "seed", "rows", "scale"],
}

MARK = "--- mark ---"
DRAW_AND_PRINT_KERNELS = """
print(tf_vsinit.HeNormal(seed=1)([2, 3]).shape)
from tensorflow.python.framework import kernels
registered = kernels.get_registered_kernels_for_op(tf_vsinit.loading.OP_TYPE).kernel
print(*sorted({kernel.device_type for kernel in registered} & {"CPU", "GPU"}))
"""
LOWER_FOR_A_GPU = """
draw = tf.function(lambda seed: tf_vsinit.stateless_variance_scaling([4], seed), jit_compile=True)
draw.experimental_get_compiler_ir(tf.constant([1, 2]))(stage="hlo", platform_name="GPU")
"""


def needs_library(test):
    return unittest.skipUnless(IS_LOADED, loading.why_no_gpu_kernels())(test)


def needs_tensorflow_with_cuda(test):
    has_cuda = tf.test.is_built_with_cuda()
    return unittest.skipUnless(has_cuda, "this TensorFlow is built without CUDA")(test)


def registered_kernels(op_type):
    """Returns the kernels of an op by the type of their device."""
    registered = kernels.get_registered_kernels_for_op(op_type).kernel
    return {kernel.device_type: kernel for kernel in registered}


class SymbolsTest(absltest.TestCase):
    """The CUDA runtime in the library is separate from that of TensorFlow."""

    def setUp(self):
        super().setUp()
        if not loading.libraries().gpu_library:
            self.skipTest("the build found no CUDA compiler")

    def dynamic_symbols(self, which):
        command = ["nm", "--dynamic", f"--{which}-only", "--", str(loading.libraries().gpu_library)]
        lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        return [line.split()[-1] for line in lines.splitlines()]

    def test_the_library_exports_nothing(self):
        self.assertEmpty(self.dynamic_symbols("defined"))

    def test_the_library_imports_no_symbol_of_cuda(self):
        needed = self.dynamic_symbols("undefined")
        self.assertTrue(any(name.startswith("_ZN10tensorflow") for name in needed))
        self.assertEmpty([name for name in needed if re.match("_*(cu|nv|TfVsinit)", name)])

    def test_the_library_depends_on_no_cuda_library(self):
        command = ["readelf", "--dynamic", "--wide", str(loading.libraries().gpu_library)]
        dynamic = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
        self.assertIn("libtensorflow_framework.so.2", needed)
        self.assertEmpty([name for name in needed if re.match("lib(cu|nv)", name)])


class KernelTest(absltest.TestCase):
    def test_a_gpu_kernel_is_registered_where_the_library_is_loaded(self):
        # The op that draws into a variable has a CPU kernel only.
        for op_type in (loading.OP_TYPE, loading.ROWS_OP_TYPE):
            self.assertEqual("GPU" in registered_kernels(op_type), IS_LOADED)
            self.assertIn("CPU", registered_kernels(op_type))

    @needs_library
    def test_the_gpu_kernel_reads_its_inputs_from_host_memory(self):
        for op_type, inputs in INPUTS.items():
            self.assertCountEqual(registered_kernels(op_type)["GPU"].host_memory_arg, inputs)

    @needs_library
    def test_xla_compiles_one_call_for_a_gpu_with_the_seed_as_operand(self):
        function = tf.function(
            lambda seed: 2.0 * tf_vsinit.stateless_variance_scaling([64, 48], seed),
            jit_compile=True,
        )
        ir = function.experimental_get_compiler_ir(tf.constant([1, 2], tf.int64))
        hlo = ir(stage="hlo", platform_name="GPU")
        calls = [line for line in hlo.splitlines() if "custom-call" in line]
        self.assertLen(calls, 1, hlo)
        self.assertRegex(calls[0], r"= f32\[64,48\]\{1,0\} custom-call\(s64\[2\]\{0\} ")
        self.assertIn('custom_call_target="tf_vsinit.variance_scaling"', calls[0])

    @needs_library
    def test_xla_compiles_one_call_for_a_gpu_with_rows_as_operand(self):
        function = tf.function(
            lambda rows: tf_vsinit.stateless_variance_scaling_rows([64, 48], [1, 2], rows),
            jit_compile=True,
        )
        ir = function.experimental_get_compiler_ir(tf.constant([1, 2, 1]))
        hlo = ir(stage="hlo", platform_name="GPU")
        calls = [line for line in hlo.splitlines() if "custom-call" in line]
        self.assertLen(calls, 1, hlo)
        self.assertRegex(calls[0], r"= f32\[3,48\]\{1,0\} custom-call\(s64\[2\].*s32\[3\]\{0\} ")
        self.assertIn('custom_call_target="tf_vsinit.variance_scaling_rows"', calls[0])


class HandlerTest(absltest.TestCase):
    def is_registered(self, name, platform):
        """Looks up the handler of a call in the registry of XLA, as its compiler does."""
        # absl::StatusOr<HandlerRegistration> xla::ffi::FindHandler(std::string_view name,
        # std::string_view platform). The hidden first argument points to the result, which begins
        # with the status: 1 means OK.
        symbol = "_ZN3xla3ffi11FindHandlerESt17basic_string_viewIcSt11char_traitsIcEES4_"
        libraries = pathlib.Path(tf.sysconfig.get_lib()).glob("libtensorflow_*.so.2")
        handles = [ctypes.CDLL(str(library)) for library in libraries]
        find_handler = next(getattr(h, symbol) for h in handles if hasattr(h, symbol))
        find_handler.restype = None
        view = [ctypes.c_size_t, ctypes.c_char_p]
        find_handler.argtypes = [ctypes.c_void_p, *view, *view]
        result = (ctypes.c_uint64 * 64)()
        find_handler(ctypes.addressof(result), len(name), name, len(platform), platform)
        return result[0] == 1

    def test_xla_knows_the_handlers_of_the_loaded_libraries(self):
        for name in (b"tf_vsinit.variance_scaling", b"tf_vsinit.variance_scaling_rows"):
            self.assertTrue(self.is_registered(name, b"Host"))
            self.assertEqual(self.is_registered(name, b"CUDA"), IS_LOADED)
            self.assertFalse(self.is_registered(name, b"nowhere"))


class ImportTest(absltest.TestCase):
    """With and without GPUs and CUDA, the import prints nothing and the CPU kernel works."""

    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        package = self.path / "tf_vsinit"
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        line = loading.libraries().line.replace(".", "_")
        self.library = package / f"_vsinit_gpu_{line}.so"
        self.description = package / f"_vsinit_{line}.json"

    def build_without_cuda(self):
        """Leaves the package as a build without a CUDA compiler."""
        self.library.unlink(missing_ok=True)
        description = json.loads(self.description.read_text())
        description["libraries"].pop(self.library.name, None)
        self.description.write_text(json.dumps(description))

    def run_import(self, before="", after=""):
        """Imports the copied package in a fresh process, between two pieces of code."""
        mark = f"[print({MARK!r}, file=file, flush=True) for file in (sys.stdout, sys.stderr)]\n"
        code = f"import sys, tensorflow as tf\n{before}\n{mark}import tf_vsinit\n{mark}{after}"
        # With -c, Python imports from the working directory first.
        return processes.run("-c", code, cwd=self.path)

    def check_silent_and_works(self, before="", gpu_kernel=False):
        result = self.run_import(before, DRAW_AND_PRINT_KERNELS)
        self.assertEqual(result.returncode, 0, result.stderr)
        for printed in (result.stdout, result.stderr):
            self.assertEqual(printed.split(MARK)[1].strip(), "")
        kinds = "CPU GPU" if gpu_kernel else "CPU"
        self.assertEqual(result.stdout.split(MARK)[2].split("\n")[1:3], ["(2, 3)", kinds])

    def test_with_the_libraries_of_the_build(self):
        self.check_silent_and_works(gpu_kernel=IS_LOADED)

    def test_without_the_gpu_library(self):
        self.build_without_cuda()
        self.check_silent_and_works()

    def test_with_a_tensorflow_without_cuda(self):
        # An invalid library shows that the import does not load it.
        self.library.unlink(missing_ok=True)
        self.library.write_bytes(b"not a library")
        self.check_silent_and_works(before="tf.test.is_built_with_cuda = lambda: False")

    @needs_tensorflow_with_cuda
    def test_the_error_names_a_gpu_library_that_is_damaged(self):
        self.library.unlink(missing_ok=True)
        self.library.write_bytes(b"not a library")
        result = self.run_import()
        self.assertNotEqual(result.returncode, 0, "the import succeeded")
        message = result.stderr.strip().splitlines()[-1]
        self.assertRegex(message, "^ImportError: .*_vsinit_gpu_.*damaged.*make build")

    @needs_tensorflow_with_cuda
    def test_without_the_gpu_library_xla_says_so_when_it_compiles_for_a_gpu(self):
        self.build_without_cuda()
        result = self.run_import(after=LOWER_FOR_A_GPU)
        self.assertNotEqual(result.returncode, 0, "the lowering succeeded")
        self.assertIn("tf_vsinit's GPU library is not loaded", result.stderr)


if __name__ == "__main__":
    absltest.main()
