"""Processes that tests start: Python, with the modules and the settings of the test's own."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
# Far more than any of them takes, but less than Bazel gives a test.
TIMEOUT_S = 400


def environment(**more: str) -> dict[str, str]:
    """Returns the environment for a process that imports what this one does."""
    # A proxy would be asked even for the loopback interface.
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def run(
    *arguments: object, cwd: str | os.PathLike | None = None, **more_environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs Python with arguments, those of its command line, whether it ends well or not."""
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
    """Returns what `run` wrote to its standard output; it is an error if it fails."""
    result = run(*arguments, cwd=cwd, **more_environment)
    if result.returncode:
        raise AssertionError(f"exit status {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


def output_of_example(name: str, **more_environment: str) -> str:
    """Returns what a program of the folder `examples` writes; it is an error if it fails."""
    return output_of(EXAMPLES / name, **more_environment)


@contextlib.contextmanager
def running(program: str, *arguments: str, **more_environment: str):
    """Runs a program of tests/programs, and ends it at the latest with the context."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.programs.{program}", *arguments],
        env=environment(**more_environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def free_addresses(count: int) -> list[str]:
    """Returns addresses on the loopback interface that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
