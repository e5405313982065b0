"""Measures the resident memory of processes."""

import contextlib
import pathlib
import re
from collections.abc import Iterator

Process = int | str  # A process id, or "self".


@contextlib.contextmanager
def peak_rise(*processes: Process) -> Iterator[dict[Process, float]]:
    """Measures by how many MiB the resident memory of processes rises, at most, in a context.

    Yields a dictionary from process to rise, which is filled when the context ends. Without
    arguments, it measures this process, "self". Keep what the context makes until then: the system
    notes the peak less precisely when memory is freed.
    """
    processes = processes or ("self",)
    before = {}
    for process in processes:
        pathlib.Path(f"/proc/{process}/clear_refs").write_text("5")  # Resets the peak.
        before[process] = _status_mib("VmRSS", process)
    rises = {}
    yield rises
    for process in processes:
        rises[process] = _status_mib("VmHWM", process) - before[process]


def huge_pages_mib() -> float:
    """Returns how much memory of this process is in huge pages."""
    rollup = pathlib.Path("/proc/self/smaps_rollup").read_text()
    return int(re.search(r"^AnonHugePages:\s+(\d+) kB$", rollup, re.MULTILINE)[1]) / 1024


def _status_mib(field, process):
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)[1]) / 1024
