"""The memory that a process takes, now and at most."""

import pathlib
import re


def resident_mib(pid: int | str = "self") -> float:
    """Returns how much memory a process has, and lets `peak_mib` begin with that."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _status_mib("VmRSS", pid)


def peak_mib(pid: int | str = "self") -> float:
    """Returns how much memory a process had at most since `resident_mib` of it."""
    return _status_mib("VmHWM", pid)


def _status_mib(field, pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)[1]) / 1024
