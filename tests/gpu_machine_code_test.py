"""The CUDA compiler leaves the stream's roundings and barriers alone: read from the code it makes.

Runs where nvcc is, and reads the machine code as well where cuobjdump is. Needs no card.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parent.parent
FIND_NVCC = "third_party/cuda/find_nvcc.sh"
COMPILE = "cc/gpu/compile.sh"
ARCHITECTURE = "90"

# By element type's name in a kernel's: elements in a chunk, and the type they are computed in.
TYPES = {
    "NS_4HalfE": (8, "f32"),
    "NS_8Bfloat16E": (8, "f32"),
    "f": (4, "f32"),
    "d": (2, "f64"),
}
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
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
# A kernel for runs holds the code of a chunk twice: for whole tiles, and for the others.
COPIES = {"Run": 2, "Box": 1}
KERNEL = re.compile(
    r"FillKernelI(?P<type>NS_4HalfE|NS_8Bfloat16E|f|d)"
    r"LNS_12DistributionE(?P<distribution>[012])ENS_7(?P<plan>Run|Box)PlanE"
)
Kernel = collections.namedtuple("Kernel", "name real distribution fused instructions")

# Instructions on floats that PTX may have here. With .rn, "mul" and "add" are never fused later.
PTX_FLOAT = re.compile(r"\.(f16x2|bf16x2|f32|f64)\b")
PTX_ALLOWED = re.compile(
    r"(fma|add|sub|mul)\.rn\.f(32|64)"
    r"|(div|sqrt)\.rn\.f64"
    r"|cvt\.rn\.f32\.([su]32|f64)|cvt\.rn\.f64\.[su](32|64)|cvt\.rn\.(f16x2|bf16x2)\.f32"
    r"|(mov|neg|selp)\.f(32|64)|setp\.[a-z]+\.f64"
    r"|(ld|st)\.[a-z0-9.]+\.f(32|64)"
)


def kernels(named_code):
    """Kernels with their instructions, from pairs of a mangled name and lines of code."""
    found = []
    for name, lines in named_code:
        match = KERNEL.search(name)
        elements, real = TYPES[match["type"]]
        distribution = DISTRIBUTIONS[int(match["distribution"])]
        fused = FUSED[real, distribution] * elements * COPIES[match["plan"]]
        label = f"{match['type']} {distribution} {match['plan']}"
        found.append(Kernel(label, real, distribution, fused, lines))
    return found


def ptx_kernels(text):
    """The kernels of a PTX file."""
    named_code = []
    for entry in re.split(r"^\.entry ", text, flags=re.MULTILINE)[1:]:
        body = entry[entry.index("{") :]
        instructions = re.findall(r"^\s*(?:@!?%p\d+\s+)?([a-z][a-z0-9_.:]*)\b", body, re.MULTILINE)
        named_code.append((entry.split("(")[0], instructions))
    return kernels(named_code)


def machine_kernels(text):
    """The kernels of what cuobjdump prints."""
    named_code = []
    for function in re.split(r"^\s*Function : ", text, flags=re.MULTILINE)[1:]:
        name, body = function.split("\n", 1)
        instructions = re.findall(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][^;]*);", body)
        named_code.append((name, instructions))
    return kernels(named_code)


def find_cuobjdump(nvcc):
    """The disassembler in PATH or beside nvcc; None if there is none."""
    return shutil.which("cuobjdump") or shutil.which(
        "cuobjdump", path=os.path.dirname(os.path.realpath(nvcc))
    )


class GpuMachineCodeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        found = subprocess.run(
            [FIND_NVCC], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split("\n")
        cls.nvcc = found[0]
        if not cls.nvcc:
            raise unittest.SkipTest("there is no nvcc here")

    def compiled(self, suffix):
        """What the build's own script makes of the kernels."""
        with tempfile.TemporaryDirectory() as folder:
            output = pathlib.Path(folder, f"fill.{suffix}")
            subprocess.run([COMPILE, self.nvcc, ARCHITECTURE, output], cwd=ROOT, check=True)
            if suffix == "ptx":
                return output.read_text()
            command = [find_cuobjdump(self.nvcc), "-sass", output]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def test_ptx_fuses_and_rounds_as_the_stream_says(self):
        found = ptx_kernels(self.compiled("ptx"))
        self.assertLen(found, len(TYPES) * len(DISTRIBUTIONS) * len(COPIES))
        for kernel in found:
            with self.subTest(kernel.name):
                counts = collections.Counter(kernel.instructions)
                self.assertEqual(counts[f"fma.rn.{kernel.real}"], kernel.fused)
                # The limit or standard deviation, which the host cannot be trusted to round.
                self.assertEqual(counts["cvt.rn.f32.f64"], kernel.real == "f32")
                # The table in shared memory is there for all threads before one reads it.
                has_table = kernel.real == "f32" and kernel.distribution != "uniform"
                self.assertEqual(counts["bar.sync"], has_table)
                floats = [name for name in counts if PTX_FLOAT.search(name)]
                self.assertNotEqual(floats, [])
                unexpected = [name for name in floats if not PTX_ALLOWED.fullmatch(name)]
                self.assertEqual(unexpected, [])

    def test_machine_code_fuses_and_rounds_as_the_stream_says(self):
        if not find_cuobjdump(self.nvcc):
            self.skipTest("there is no cuobjdump here; PTX was read")
        found = machine_kernels(self.compiled("cubin"))
        self.assertLen(found, len(TYPES) * len(DISTRIBUTIONS) * len(COPIES))
        for kernel in found:
            with self.subTest(kernel.name):
                counts = collections.Counter(text.split()[0] for text in kernel.instructions)
                self.assertEqual([name for name in counts if "FTZ" in name], [])
                approximate = {name for name in counts if name.startswith("MUFU")}
                if kernel.real == "f32":
                    self.assertEqual(counts["FFMA"], kernel.fused)
                    self.assertEqual(approximate, set())
                    self.assertEqual(counts["DFMA"], 0)
                else:
                    # Division and square root are made of more of them, to round right.
                    self.assertGreaterEqual(counts["DFMA"], kernel.fused)
                    self.assertLessEqual(approximate, {"MUFU.RCP64H", "MUFU.RSQ64H"})
                if kernel.distribution == "uniform":
                    self.assertEqual(counts["FFMA"] + counts["DFMA"], 0)

    def assertLen(self, container, length):
        self.assertEqual(len(container), length)


if __name__ == "__main__":
    unittest.main()
