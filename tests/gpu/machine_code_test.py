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

# Fused multiplications and additions that cc/stream/distributions.h writes for one value. Float32,
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
# A kernel for runs holds the code of a vector twice: for whole tiles, and for the others.
COPIES = {"Run": 2, "Box": 1}
KERNELS = len(gpu_fill.DTYPES) * len(gpu_fill.DISTRIBUTIONS) * len(COPIES)

# Instructions on floats that PTX may have here. With .rn, "mul" and "add" are never fused later.
PTX_FLOAT = re.compile(r"\.(f16x2|bf16x2|f32|f64)\b")
PTX_ALLOWED = re.compile(
    r"(fma|add|sub|mul)\.rn\.f(32|64)|(max|min)\.f32"
    r"|(div|sqrt)\.rn\.f64"
    r"|cvt\.rn\.f32\.([su]32|f64)|cvt\.rn\.f64\.[su](32|64)|cvt\.rn\.(f16x2|bf16x2)\.f32"
    r"|(mov|neg|selp)\.f(32|64)|setp\.[a-z]+\.f64"
    r"|(ld|st)\.[a-z0-9.]+\.f(32|64)"
)


def real(kernel):
    """Returns the type that a kernel computes in, as PTX names it."""
    return "f64" if kernel.dtype == "float64" else "f32"


def fused(kernel):
    """Returns how many fused multiplications and additions a kernel has."""
    return FUSED[real(kernel), kernel.distribution] * kernel.elements * COPIES[kernel.plan]


def clamped(kernel):
    """The values that a kernel brings into the range of a 16-bit uniform."""
    is_clamped = kernel.distribution == "uniform" and kernel.dtype in ("float16", "bfloat16")
    return is_clamped * kernel.elements * COPIES[kernel.plan]


def ptx_kernels(text):
    """Yields the kernels of a PTX file and the names of their instructions."""
    for entry in re.split(r"^\.entry ", text, flags=re.MULTILINE)[1:]:
        body = entry[entry.index("{") :]
        names = re.findall(r"^\s*(?:@!?%p\d+\s+)?([a-z][a-z0-9_.:]*)\b", body, re.MULTILINE)
        yield machine_code.kernel_of(entry.split("(")[0]), names


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

    def test_ptx_fuses_and_rounds_as_the_stream_says(self):
        found = list(ptx_kernels(machine_code.ptx(self.nvcc, ARCHITECTURE)))
        self.assertLen(found, KERNELS)
        for kernel, names in found:
            with self.subTest(kernel):
                counts = collections.Counter(names)
                self.assertEqual(counts[f"fma.rn.{real(kernel)}"], fused(kernel))
                self.assertEqual(counts["max.f32"], clamped(kernel))
                self.assertEqual(counts["min.f32"], clamped(kernel))
                # The limit or standard deviation, which the host cannot be trusted to round.
                self.assertEqual(counts["cvt.rn.f32.f64"], real(kernel) == "f32")
                # All threads wait until the table is in shared memory.
                has_table = real(kernel) == "f32" and kernel.distribution != "uniform"
                self.assertEqual(counts["bar.sync"], has_table)
                floats = [name for name in counts if PTX_FLOAT.search(name)]
                self.assertNotEqual(floats, [])
                unexpected = [name for name in floats if not PTX_ALLOWED.fullmatch(name)]
                self.assertEqual(unexpected, [])

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
                self.assertEqual([name for name in counts if "FTZ" in name], [])
                approximate = {name for name in counts if name.startswith("MUFU")}
                if real(kernel) == "f32":
                    self.assertEqual(counts["FFMA"], fused(kernel))
                    self.assertEqual(approximate, set())
                    self.assertEqual(counts["DFMA"], 0)
                    # A thread rounds the limit or standard deviation once, whatever it draws.
                    self.assertEqual(counts["F2F.F32.F64"], 1)
                    for loop in machine_code.loops(code):
                        self.assertNotIn("F2F.F32.F64", map(opcode, loop))
                else:
                    # Division and square root are made of more of them, to round right.
                    self.assertGreaterEqual(counts["DFMA"], fused(kernel))
                    self.assertLessEqual(approximate, {"MUFU.RCP64H", "MUFU.RSQ64H"})
                if kernel.distribution == "uniform":
                    self.assertEqual(counts["FFMA"] + counts["DFMA"], 0)

    def assertLen(self, container, length):
        self.assertEqual(len(container), length)


if __name__ == "__main__":
    unittest.main()
