"""Counts the machine instructions per value of the GPU kernels. Needs no card.

    python3 benchmarks/gpu/instructions.py [ARCHITECTURE]

compiles the kernels and reads the main loop of each kernel for a run of elements. That loop writes
all values of a large tensor but the first and the last ones. Every instruction of the loop counts
once, including both sides of a branch. Needs nvcc and cuobjdump.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import machine_code

STORE = re.compile(r"\bSTG\.E(\.\d+)?\b")


def disassembly(architecture: str) -> str:
    """Returns the machine code of the kernels.

    Raises:
        SystemExit: nvcc or cuobjdump is missing.
    """
    nvcc = machine_code.find_nvcc()
    cuobjdump = nvcc and machine_code.find_cuobjdump(nvcc)
    if not cuobjdump:
        sys.exit(f"There is no {'cuobjdump' if nvcc else 'nvcc'}. This program needs it.")
    return machine_code.disassembly(nvcc, cuobjdump, architecture)


def main_loop(code: list[machine_code.Instruction]) -> list[machine_code.Instruction]:
    """Returns the smallest loop whose stores all write 16 bytes."""

    def stores(loop: list[machine_code.Instruction]) -> set[str]:
        return {store[1] for store in (STORE.search(line.text) for line in loop) if store}

    return min((loop for loop in machine_code.loops(code) if stores(loop) == {".128"}), key=len)


def counts(text: str) -> Iterator[tuple[str, str, str, float]]:
    """Yields the stream, distribution, dtype and instructions per value of each kernel."""
    for kernel, code in machine_code.kernels(text):
        if kernel.plan == "Run":
            count = len(main_loop(code)) / kernel.elements
            yield kernel.stream, kernel.distribution, kernel.dtype, count


def main() -> None:
    """Prints a table."""
    print("| stream | distribution | dtype | instructions per value |\n|---|---|---|--:|")
    for stream, distribution, dtype, count in sorted(
        counts(disassembly(sys.argv[1] if len(sys.argv) > 1 else "90"))
    ):
        print(f"| {stream} | {distribution} | {dtype} | {count:.1f} |")


if __name__ == "__main__":
    main()
