"""The PTX and machine code of the GPU kernels, for a test and for instructions.py."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

import gpu_fill

_KERNEL = re.compile(
    r"FillKernelI(?P<type>NS_4HalfE|NS_8Bfloat16E|f|d)"
    r"LNS_12DistributionE(?P<distribution>[012])ELNS_6StreamE(?P<stream>[01])E"
    r"NS_7(?P<plan>Run|Box)PlanE"
)
_DTYPES = {"NS_4HalfE": "float16", "NS_8Bfloat16E": "bfloat16", "f": "float32", "d": "float64"}
_VECTOR_BYTES = 16
_INSTRUCTION = re.compile(r"/\*([0-9a-f]{4,})\*/\s+([^;]*);")
_BRANCH = re.compile(r"\bBRA\b.*?(0x[0-9a-f]+)\s*$")


class Kernel(NamedTuple):
    """Identifies a kernel."""

    stream: str
    distribution: str
    dtype: str
    plan: str  # "Run" or "Box"

    @property
    def elements(self) -> int:
        """The number of elements in a vector, for which the code is unrolled."""
        return _VECTOR_BYTES // gpu_fill.ITEM_SIZE[self.dtype]


class Instruction(NamedTuple):
    """An instruction of a disassembly."""

    address: int
    text: str


def find_nvcc() -> str | None:
    """Returns the path of the nvcc that the build uses, or None."""
    found = subprocess.run(
        ["third_party/cuda/find_nvcc.sh"],
        cwd=gpu_fill.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return found.split("\n")[0] or None


def find_cuobjdump(nvcc: str) -> str | None:
    """Returns the path of the disassembler in PATH or in the folder of nvcc, or None."""
    beside = os.path.dirname(os.path.realpath(nvcc))
    return shutil.which("cuobjdump") or shutil.which("cuobjdump", path=beside)


def ptx(nvcc: str, architecture: str) -> str:
    """Returns the PTX of the kernels for an architecture such as "90"."""
    return _compile(nvcc, architecture, "ptx", lambda output: output.read_text())


def disassembly(nvcc: str, cuobjdump: str, architecture: str) -> str:
    """Returns the machine code of the kernels for an architecture such as "90"."""

    def disassemble(output: pathlib.Path) -> str:
        command = [cuobjdump, "-sass", output]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    return _compile(nvcc, architecture, "cubin", disassemble)


def _compile(nvcc: str, architecture: str, suffix: str, read: Callable[[pathlib.Path], str]) -> str:
    """Compiles the kernels as the build does, and returns what `read` reads from the output."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder, f"fill.{suffix}")
        command = ["cc/gpu/compile.sh", nvcc, architecture, output]
        subprocess.run(command, cwd=gpu_fill.ROOT, check=True)
        return read(output)


def kernel_of(name: str) -> Kernel:
    """Returns the kernel that has a mangled name."""
    match = _KERNEL.search(name)
    distribution = gpu_fill.DISTRIBUTIONS[int(match["distribution"])]
    stream = gpu_fill.STREAMS[int(match["stream"])]
    return Kernel(stream, distribution, _DTYPES[match["type"]], match["plan"])


def kernels(disassembled: str) -> Iterator[tuple[Kernel, list[Instruction]]]:
    """Yields the kernels of a disassembly and their instructions."""
    for function in re.split(r"^\s*Function : ", disassembled, flags=re.MULTILINE)[1:]:
        name, body = function.split("\n", 1)
        code = [Instruction(int(at, 16), text.strip()) for at, text in _INSTRUCTION.findall(body)]
        yield kernel_of(name), code


def loops(code: list[Instruction]) -> Iterator[list[Instruction]]:
    """Yields each loop: the instructions from the target of a backward branch to the branch."""
    for address, text in code:
        branch = _BRANCH.search(text)
        # A kernel ends with an unreachable branch to itself, which is not a loop.
        if branch and int(branch[1], 16) < address:
            yield [line for line in code if int(branch[1], 16) <= line.address <= address]
