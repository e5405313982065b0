"""Processes that talk over the loopback interface, for the tests of tf.distribute."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys

FOLDER = pathlib.Path(__file__).parent
EXAMPLES = FOLDER.parent / "examples"
# Far more than any of them takes, but less than Bazel gives a test.
TIMEOUT_S = 400


def free_addresses(count: int) -> list[str]:
    """Returns addresses on the loopback interface that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]


def environment(**more: str) -> dict[str, str]:
    """Returns the environment for a process that imports what this one does."""
    # A proxy would be asked even for the loopback interface.
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path), **more}


@contextlib.contextmanager
def running(program: str, *arguments: str, **more_environment: str):
    """Runs a program of this folder, and ends it at the latest with the context."""
    process = subprocess.Popen(
        [sys.executable, str(FOLDER / program), *arguments],
        env=environment(**more_environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def run_example(name: str, **more_environment: str) -> str:
    """Runs a program of the folder `examples` and returns what it printed."""
    result = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        env=environment(**more_environment),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def memory_mib(pid: int | str = "self") -> float:
    """Returns how much memory a process has, and lets `peak_memory_mib` begin with that."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _status_mib("VmRSS", pid)


def peak_memory_mib(pid: int | str = "self") -> float:
    """Returns how much memory a process had at most since `memory_mib` of it."""
    return _status_mib("VmHWM", pid)


def _status_mib(field, pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)[1]) / 1024
