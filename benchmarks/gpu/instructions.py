"""Counts the instructions that a GPU value takes, from the machine code. Needs no card.

    python3 benchmarks/gpu/instructions.py [ARCHITECTURE]

compiles the kernels and takes the loop over whole chunks of each kernel for a run of elements: the
path of all but the first and the last values of a large tensor. Every instruction is counted once,
both branches of a branch included. Needs nvcc and cuobjdump.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNEL = re.compile(
    r"FillKernelI(NS_4HalfE|NS_8Bfloat16E|f|d)LNS_12DistributionE([012])ENS_7RunPlan"
)
DTYPES = {
    "NS_4HalfE": ("float16", 8),
    "NS_8Bfloat16E": ("bfloat16", 8),
    "f": ("float32", 4),
    "d": ("float64", 2),
}
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
INSTRUCTION = re.compile(r"/\*([0-9a-f]{4,})\*/\s+([^;]*);")
STORE = re.compile(r"\bSTG\.E(\.\d+)?\b")


def disassembly(architecture: str) -> str:
    """The machine code of the kernels.

    Raises:
        SystemExit: If nvcc or cuobjdump is missing.
    """
    nvcc = subprocess.run(
        ["third_party/cuda/find_nvcc.sh"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")[0]
    cuobjdump = shutil.which("cuobjdump")
    if not nvcc or not cuobjdump:
        sys.exit("nvcc and cuobjdump are needed; there is no " + ("cuobjdump" if nvcc else "nvcc"))
    with tempfile.TemporaryDirectory() as folder:
        cubin = pathlib.Path(folder, "fill.cubin")
        subprocess.run(["cc/gpu/compile.sh", nvcc, architecture, cubin], cwd=ROOT, check=True)
        command = [cuobjdump, "-sass", cubin]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def chunk_loop(code: list[tuple[int, str]]) -> list[str]:
    """The smallest loop that stores 16 bytes and nothing shorter."""
    loops = []
    for address, text in code:
        branch = re.search(r"\bBRA\b.*?(0x[0-9a-f]+)\s*$", text)
        if not branch or int(branch[1], 16) > address:
            continue
        body = [text for at, text in code if int(branch[1], 16) <= at <= address]
        if {store[1] for store in map(STORE.search, body) if store} == {".128"}:
            loops.append(body)
    return min(loops, key=len)


def counts(text: str) -> Iterator[tuple[str, str, float]]:
    """Distribution, dtype and instructions per value of each kernel."""
    for function in re.split(r"^\s*Function : ", text, flags=re.MULTILINE)[1:]:
        name, body = function.split("\n", 1)
        match = KERNEL.search(name)
        if match:
            code = [(int(at, 16), text.strip()) for at, text in INSTRUCTION.findall(body)]
            dtype, elements = DTYPES[match[1]]
            yield DISTRIBUTIONS[int(match[2])], dtype, len(chunk_loop(code)) / elements


def main() -> None:
    """Prints a table."""
    print("| distribution | dtype | instructions per value |\n|---|---|--:|")
    for distribution, dtype, count in sorted(
        counts(disassembly(sys.argv[1] if len(sys.argv) > 1 else "90"))
    ):
        print(f"| {distribution} | {dtype} | {count:.1f} |")


if __name__ == "__main__":
    main()
