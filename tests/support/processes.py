"""Starts processes of Python that have the modules and the settings of the test."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

# Far more than any process takes, but less than Bazel gives a test.
TIMEOUT_S = 400


def environment(**more: str) -> dict[str, str]:
    """Returns the environment for a process that imports what the test imports."""
    # gRPC would ask a proxy even for the loopback interface.
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def run(
    *arguments: object, cwd: str | os.PathLike | None = None, **more_environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs Python with command-line arguments; the caller looks at the exit status."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment(**more_environment),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def output_of(
    *arguments: object, cwd: str | os.PathLike | None = None, **more_environment: str
) -> str:
    """Runs Python with command-line arguments; returns its standard output, or fails."""
    result = run(*arguments, cwd=cwd, **more_environment)
    if result.returncode:
        raise AssertionError(f"exit status {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


@contextlib.contextmanager
def running(
    program: str, *arguments: str, stdout: int = subprocess.DEVNULL, **more_environment: str
) -> Iterator[subprocess.Popen[str]]:
    """Runs a program of tests/programs, and kills it after the context or the time limit."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.programs.{program}", *arguments],
        env=environment(**more_environment),
        stdin=subprocess.PIPE,
        stdout=stdout,
        text=True,
    )
    limit = threading.Timer(TIMEOUT_S, process.kill)
    limit.start()
    with process:
        try:
            yield process
        finally:
            limit.cancel()
            process.kill()


def free_addresses(count: int) -> list[str]:
    """Returns addresses on the loopback interface that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
