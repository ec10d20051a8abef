"""Hosts of their own on one machine: network, mounts and processes apart, behind one switch."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


def why_not() -> str | None:
    """Say why hosts cannot be made here; None if they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    probe = subprocess.run(
        ["unshare", "-mnpf", "--mount-proc", "sh", "-c",
         "mount -t tmpfs none /dev/shm && ip link add type veth"],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    return f"namespaces cannot be made here: {probe.stderr.strip()}" if probe.returncode else None


class NetworkHost:
    """One host; what it runs is ended with it.

    Args:
        number: makes its address, 10.77.0.NUMBER.
        switch: the network namespace that all are connected by.
        name: a prefix for what is made, of at most eight characters.
    """

    def __init__(self, number: int, switch: str, name: str) -> None:
        self.address = f"10.77.0.{number}"
        self._link = f"{name}{number}"
        self._switch = switch
        self._namespace = f"{name}h{number}"
        _run("ip", "netns", "add", self._namespace)
        _run("ip", "-n", switch, "link", "add", self._link, "type", "veth",
             "peer", "name", "eth0", "netns", self._namespace)  # fmt: skip
        _run("ip", "-n", switch, "link", "set", self._link, "master", "switch", "up")
        here = ("ip", "-n", self._namespace)
        _run(*here, "address", "add", f"{self.address}/24", "dev", "eth0")
        _run(*here, "link", "set", "eth0", "up")
        _run(*here, "link", "set", "lo", "up")
        # Without a default route Ray takes 127.0.0.1 for the host's address.
        _run(*here, "route", "add", "default", "via", self.address)
        self._first = subprocess.Popen(
            ["ip", "netns", "exec", self._namespace, "unshare", "-mpf", "--mount-proc",
             "--kill-child", "sh", "-c",
             "mkdir -p /tmp/ray && mount -t tmpfs none /tmp/ray && mount -t tmpfs none /dev/shm"
             " && echo ready && sleep 100000"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._first.stdout is not None
        assert self._first.stdout.readline() == "ready\n"

    def start(self, *command: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command on this host."""
        pid = Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children").read_text().split()
        return subprocess.Popen(
            ["nsenter", "-t", pid[0], "-m", "-n", "-p", *command],
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def cut_off(self) -> None:
        """Let no packet in or out any more."""
        _run("ip", "-n", self._switch, "link", "set", self._link, "down")

    def end(self) -> None:
        """End all processes of the host, and the host."""
        assert self._first.stdout is not None
        self._first.kill()
        self._first.wait()
        self._first.stdout.close()
        _run("ip", "netns", "delete", self._namespace)


@contextmanager
def network_hosts(n: int) -> Iterator[list[NetworkHost]]:
    """Make hosts that see each other and nothing else."""
    name = f"r{uuid.uuid4().hex[:5]}"
    switch = f"{name}sw"
    with ExitStack() as stack:
        _run("ip", "netns", "add", switch)
        stack.callback(_run, "ip", "netns", "delete", switch)
        _run("ip", "-n", switch, "link", "add", "switch", "type", "bridge")
        _run("ip", "-n", switch, "link", "set", "switch", "up")
        made = []
        for number in range(1, n + 1):
            made.append(NetworkHost(number, switch, name))
            stack.callback(made[-1].end)
        yield made


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)
