"""Starts several processes of one program on this machine, for the examples that need them."""

import argparse
import json
import os
import socket
import subprocess
import sys


def free_addresses(jobs):
    """Returns unused addresses of the loopback interface: a list for each job.

    Args:
      jobs: name of a job -> how many addresses it needs.
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
    """Starts this program once more, with other arguments and more environment variables.

    The standard input of the new process ends when this process does.
    """
    # gRPC would send even loopback traffic to a proxy.
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return subprocess.Popen(
        [sys.executable, sys.argv[0], *arguments],
        env={"TF_CPP_MIN_LOG_LEVEL": "2", **environment, **more_environment},
        stdin=subprocess.PIPE,
    )


def start_task(cluster, job, task=0):
    """Starts this program once more, as one task of a job. It reads `task_options()`."""
    return start_again("--cluster", json.dumps(cluster), "--job", job, "--task", str(task))


def task_options():
    """Returns the cluster, job and task of this process. In the first process they are None."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cluster", type=json.loads, help="job -> addresses of its tasks, in JSON")
    parser.add_argument("--job", help="job that this process belongs to")
    parser.add_argument("--task", type=int, help="number of this process in its job")
    return parser.parse_args()


def wait(processes, servers=()):
    """Waits for processes, stops the servers, and returns 1 if a process failed, else 0."""
    try:
        return int(any([process.wait(timeout=200) for process in processes]))
    finally:
        for process in (*processes, *servers):
            process.kill()
            process.wait()
