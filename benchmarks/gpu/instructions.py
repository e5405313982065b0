"""Counts the instructions that a GPU value takes, from the machine code. Needs no card.

    python3 benchmarks/gpu/instructions.py [ARCHITECTURE]

compiles the kernels and takes the loop over whole chunks of each kernel for a run of elements: the
path of all but the first and the last values of a large tensor. Every instruction is counted once,
both branches of a branch included. Needs nvcc and cuobjdump.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import machine_code

STORE = re.compile(r"\bSTG\.E(\.\d+)?\b")


def disassembly(architecture: str) -> str:
    """The machine code of the kernels.

    Raises:
        SystemExit: If nvcc or cuobjdump is missing.
    """
    nvcc = machine_code.find_nvcc()
    cuobjdump = nvcc and machine_code.find_cuobjdump(nvcc)
    if not cuobjdump:
        sys.exit("nvcc and cuobjdump are needed; there is no " + ("cuobjdump" if nvcc else "nvcc"))
    return machine_code.disassembly(nvcc, cuobjdump, architecture)


def chunk_loop(code: list[machine_code.Instruction]) -> list[machine_code.Instruction]:
    """The smallest loop that stores 16 bytes and nothing shorter."""

    def stores(loop: list[machine_code.Instruction]) -> set[str]:
        return {store[1] for store in (STORE.search(line.text) for line in loop) if store}

    return min((loop for loop in machine_code.loops(code) if stores(loop) == {".128"}), key=len)


def counts(text: str) -> Iterator[tuple[str, str, float]]:
    """Distribution, dtype and instructions per value of each kernel."""
    for kernel, code in machine_code.kernels(text):
        if kernel.plan == "Run":
            yield kernel.distribution, kernel.dtype, len(chunk_loop(code)) / kernel.elements


def main() -> None:
    """Prints a table."""
    print("| distribution | dtype | instructions per value |\n|---|---|--:|")
    for distribution, dtype, count in sorted(
        counts(disassembly(sys.argv[1] if len(sys.argv) > 1 else "90"))
    ):
        print(f"| {distribution} | {dtype} | {count:.1f} |")


if __name__ == "__main__":
    main()
