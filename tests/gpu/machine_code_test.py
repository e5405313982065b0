"""The code that the CUDA compiler makes has the roundings and barriers of the stream.

The test needs nvcc, and cuobjdump for the machine code. It needs no GPU.
"""

import collections
import re
import unittest

from tests.support import repository

gpu_fill = repository.import_script("benchmarks/gpu/gpu_fill.py")
machine_code = repository.import_script("benchmarks/gpu/machine_code.py")

ARCHITECTURE = "90"

# Fused multiplications and additions that cc/stream/distributions.h writes for one value of stream
# version 1. Float32,
# truncated: one each for t, u and the row, five for the row's polynomial. Untruncated: doubled
# tail, logarithm's polynomial (7), x, t, row's polynomial (5). Float64, truncated: t (2), v, two
# polynomials (10 each), the product. Untruncated: doubled tail (2); in the centre t (2), v, two
# polynomials (7 each), the product; in the tail the logarithm's polynomial (19), its sum, two
# polynomials (8 and 7).
FUSED = {
    ("f32", "truncated_normal"): 8,
    ("f32", "untruncated_normal"): 15,
    ("f32", "uniform"): 0,
    ("f64", "truncated_normal"): 24,
    ("f64", "untruncated_normal"): 55,
    ("f64", "uniform"): 0,
}
# The same for a pair of words of the TensorFlow stream, in cc/stream/glibc_float64.h: the logarithm
# (11 near one, 8 elsewhere), the angle's reduction (7), the sine (6 for small angles, 8 for others)
# and the cosine (7). In float32, nothing is fused.
FUSED_IN_PAIR = {"f32": 0, "f64": 47}
# A kernel for runs holds the code of a vector twice: for whole tiles, and for the others.
COPIES = {"Run": 2, "Box": 1}
KERNELS = len(gpu_fill.STREAMS) * len(gpu_fill.DTYPES) * len(gpu_fill.DISTRIBUTIONS) * len(COPIES)

# Instructions on floats that PTX may have here. With .rn, "mul" and "add" are never fused later.
PTX_FLOAT = re.compile(r"\.(f16x2|bf16x2|f32|f64)\b")
PTX_ALLOWED = re.compile(
    r"(fma|add|sub|mul)\.rn\.f(32|64)|(max|min)\.f32"
    r"|(div\.rn|sqrt\.rn|abs|copysign)\.f64|sqrt\.rn\.f32"
    r"|cvt\.rn\.f32\.([su]32|f64)|cvt\.rn\.f64\.[su](32|64)|cvt\.rn\.(f16x2|bf16x2)\.f32"
    r"|cvt\.f64\.f32"
    r"|(mov|neg|selp|setp\.[a-z]+)\.f(32|64)"
    r"|(ld|st)\.[a-z0-9.]+\.f(32|64)"
)


def real(kernel):
    """Returns the type that a kernel computes in, as PTX names it."""
    return "f64" if kernel.dtype == "float64" else "f32"


def pairs(kernel):
    """Returns how often a kernel has the code that makes two normals of the TensorFlow stream."""
    if kernel.stream != "tensorflow" or kernel.distribution == "uniform":
        return 0
    per_tuple = 2 if kernel.dtype == "float64" else 4
    tuples = kernel.elements // per_tuple * COPIES[kernel.plan]
    # A kernel for boxes also has the code of one tuple, for vectors out of step with tuples.
    return (tuples + (kernel.plan == "Box")) * per_tuple // 2


def fused(kernel):
    """Returns how many fused multiplications and additions a kernel has."""
    if kernel.stream == "tensorflow":
        return FUSED_IN_PAIR[real(kernel)] * pairs(kernel)
    return FUSED[real(kernel), kernel.distribution] * kernel.elements * COPIES[kernel.plan]


def clamped(kernel):
    """The values that a kernel brings into the range of a 16-bit uniform of stream version 1."""
    is_16_bit = kernel.dtype in ("float16", "bfloat16")
    is_clamped = kernel.stream == "vsinit" and kernel.distribution == "uniform" and is_16_bit
    return is_clamped * kernel.elements * COPIES[kernel.plan]


def ptx_kernels(text):
    """Yields the kernels of a PTX file and the names of their instructions."""
    for entry in re.split(r"^\.entry ", text, flags=re.MULTILINE)[1:]:
        body = entry[entry.index("{") :]
        names = re.findall(r"^\s*(?:@!?%p\d+\s+)?([a-z][a-z0-9_.:]*)\b", body, re.MULTILINE)
        yield machine_code.kernel_of(entry.split("(")[0]), names


def roundings(kernel):
    """Returns how often a kernel rounds a float64 to a float32.

    Once it rounds the limit or standard deviation, because the host cannot be trusted to. For each
    pair of the TensorFlow stream it rounds the logarithm, the angle, the sine and the cosine.
    """
    return (real(kernel) == "f32") * (1 + 4 * pairs(kernel))


def opcode(instruction):
    """Returns the operation of a machine instruction, without its predicate."""
    return re.sub(r"^@!?U?P\w+\s+", "", instruction.text).split()[0]


class GpuMachineCodeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nvcc = machine_code.find_nvcc()
        if not cls.nvcc:
            raise unittest.SkipTest("there is no nvcc here")
        cls.ptx = machine_code.ptx(cls.nvcc, ARCHITECTURE)

    def test_ptx_fuses_and_rounds_as_the_stream_says(self):
        found = list(ptx_kernels(self.ptx))
        self.assertLen(found, KERNELS)
        for kernel, names in found:
            with self.subTest(kernel):
                counts = collections.Counter(names)
                self.assertEqual(counts[f"fma.rn.{real(kernel)}"], fused(kernel))
                self.assertEqual(counts["max.f32"], clamped(kernel))
                self.assertEqual(counts["min.f32"], clamped(kernel))
                self.assertEqual(counts["cvt.rn.f32.f64"], roundings(kernel))
                if real(kernel) == "f32":
                    self.assertEqual(counts["fma.rn.f64"], 0)
                if kernel.stream == "tensorflow":
                    self.assertEqual(counts[f"sqrt.rn.{real(kernel)}"], pairs(kernel))
                # All threads wait until the table is in shared memory.
                has_table = real(kernel) == "f32" and kernel.distribution != "uniform"
                self.assertEqual(counts["bar.sync"], has_table and kernel.stream == "vsinit")
                floats = [name for name in counts if PTX_FLOAT.search(name)]
                self.assertNotEqual(floats, [])
                unexpected = [name for name in floats if not PTX_ALLOWED.fullmatch(name)]
                self.assertEqual(unexpected, [])

    def test_no_thread_copies_a_table_into_its_own_memory(self):
        sizes = [int(size) for size in re.findall(r"__local_depot\d+\[(\d+)\]", self.ptx)]
        self.assertNotEqual(sizes, [])
        # The elements and the tuple of a vector that is out of step with tuples.
        self.assertLessEqual(max(sizes), 64)

    def test_machine_code_fuses_and_rounds_as_the_stream_says(self):
        cuobjdump = machine_code.find_cuobjdump(self.nvcc)
        if not cuobjdump:
            self.skipTest("there is no cuobjdump here; PTX was read")
        text = machine_code.disassembly(self.nvcc, cuobjdump, ARCHITECTURE)
        found = list(machine_code.kernels(text))
        self.assertLen(found, KERNELS)
        for kernel, code in found:
            with self.subTest(kernel):
                counts = collections.Counter(map(opcode, code))
                flushing = [name for name in counts if "FTZ" in name]
                approximate = {name for name in counts if name.startswith("MUFU")}
                if real(kernel) == "f32":
                    self.assertEqual(counts["DFMA"], 0)
                    self.assertEqual(counts["F2F.F32.F64"], roundings(kernel))
                else:
                    # Division and square root are made of more of them, to round right.
                    self.assertGreaterEqual(counts["DFMA"], fused(kernel))
                    self.assertLessEqual(approximate, {"MUFU.RCP64H", "MUFU.RSQ64H"})
                if real(kernel) == "f32" and pairs(kernel):
                    # nvcc makes a square root of an approximation, two fused and two flushing
                    # instructions for normal numbers, and calls a function for the others.
                    self.assertEqual(approximate, {"MUFU.RSQ"})
                    self.assertEqual(counts["FFMA"], 2 * pairs(kernel) + 3)
                    self.assertEqual(counts["FMUL.FTZ"], 2 * pairs(kernel) + 3)
                else:
                    self.assertEqual(flushing, [])
                if real(kernel) == "f32" and not pairs(kernel):
                    self.assertEqual(counts["FFMA"], fused(kernel))
                    self.assertEqual(approximate, set())
                    # A thread rounds the limit or standard deviation once, whatever it draws.
                    for loop in machine_code.loops(code):
                        self.assertNotIn("F2F.F32.F64", map(opcode, loop))
                if kernel.distribution == "uniform":
                    self.assertEqual(counts["FFMA"] + counts["DFMA"], 0)

    def assertLen(self, container, length):
        self.assertEqual(len(container), length)


if __name__ == "__main__":
    unittest.main()
