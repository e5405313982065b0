"""The processes of one program on this machine, for the examples that need several."""

import os
import socket
import subprocess
import sys


def free_addresses(jobs):
    """Returns, by job, addresses of the loopback interface that nothing listens on.

    Args:
      jobs: how many addresses each job needs, by its name.
    """
    sockets = {job: [socket.socket() for _ in range(count)] for job, count in jobs.items()}
    for s in sum(sockets.values(), []):
        s.bind(("127.0.0.1", 0))
    addresses = {
        job: [f"127.0.0.1:{s.getsockname()[1]}" for s in group] for job, group in sockets.items()
    }
    for s in sum(sockets.values(), []):
        s.close()
    return addresses


def start_again(*arguments, **more_environment):
    """Starts the program that runs once more, with arguments and an environment of its own.

    What it reads from its standard input ends when this process does.
    """
    # A proxy would be asked even for the loopback interface.
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return subprocess.Popen(
        [sys.executable, sys.argv[0], *arguments],
        env={"TF_CPP_MIN_LOG_LEVEL": "2", **environment, **more_environment},
        stdin=subprocess.PIPE,
    )


def wait(processes, servers=()):
    """Waits for processes, ends the servers and returns 1 if a process failed, else 0."""
    try:
        return int(any([process.wait(timeout=200) for process in processes]))
    finally:
        for process in (*processes, *servers):
            process.kill()
            process.wait()
