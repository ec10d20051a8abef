"""A small process that runs a command, and ends it with all that it started.

Run by its path with an interpreter that imports nothing else: `python -I -S process_keeper.py
PARENT LIFELINE OUTPUT MOST_BYTES GRACE_S POLITE COMMAND...`. LIFELINE is a pipe of which the parent
holds the other end: it writes `t` to terminate the command and `k` to kill it, and the pipe ends
with the parent, however that ends. OUTPUT is a file for what the command says, or -1.

States and transitions:

* *running*: the command runs. The lifeline ends -> ending. `k` -> killing.
* *ending*: the command was asked to end: by SIGTERM, unless POLITE is 0 because its standard input
  has ended with the parent. GRACE_S later -> killing.
* *leaving*: the command has ended, and something that it started has not. That gets SIGTERM;
  GRACE_S later -> killing.
* *killing*: all gets SIGKILL.
* Nothing is left -> the keeper ends as the command did: with its exit code, or by its signal.

On Linux the keeper adopts what the command's children leave behind, and the command is killed with
the keeper; what it had started stays in the keeper's session, by which the parent finds it, see
`kill_session`. Elsewhere what took a session of its own is not found.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence

_LOOK_EVERY_S = 1.0
_LOOK_CLOSELY_S = 0.02
_READ_BYTES = 65536
_PARENT_DEATH_SIGNAL, _CHILD_SUBREAPER = 1, 36  # options of prctl
_TAKEN = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_CANNOT_RUN = 127


def kill_process_tree(pid: int, *, spare: int | None = None) -> None:
    """Kill a process, then what it started, but for one."""
    family = descendants(pid) - {spare}
    for one in (pid, *family):
        _send(one, signal.SIGKILL)


def kill_session(leader: int) -> None:
    """Kill the processes of a session whose leader is dead, where there is /proc."""
    for pid, _, session in _processes():
        if session == leader:
            _send(pid, signal.SIGKILL)


def descendants(pid: int) -> set[int]:
    """Find what a process started and what this started; nothing where there is no /proc."""
    children: dict[int, list[int]] = {}
    for child, parent, _ in _processes():
        children.setdefault(parent, []).append(child)
    found: set[int] = set()
    to_see = [pid]
    while to_see:
        for child in children.get(to_see.pop(), ()):
            if child not in found:
                found.add(child)
                to_see.append(child)
    return found


def _processes() -> Iterator[tuple[int, int, int]]:
    """Give each process with its parent and its session; none where there is no /proc."""
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError, ValueError, IndexError):
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                    fields = stat.read().rpartition(")")[2].split()
                yield int(name), int(fields[1]), int(fields[3])


class _Output:
    """A file that is cut when it is full: its newer half stays."""

    def __init__(self, descriptor: int, most_bytes: int) -> None:
        self._descriptor = descriptor
        self._most_bytes = most_bytes

    def write(self, data: bytes) -> None:
        """Add what the command said; a full disk must not stop it, so that is lost."""
        with contextlib.suppress(OSError):
            size = os.fstat(self._descriptor).st_size
            if size + len(data) > self._most_bytes:
                n_kept = min(size, self._most_bytes // 2)
                kept = os.pread(self._descriptor, n_kept, size - n_kept) + data
                data = kept[-(self._most_bytes // 2) :]
                if b"\n" in data[:-1]:
                    data = data[data.index(b"\n") + 1 :]
                os.ftruncate(self._descriptor, 0)
            while data:
                data = data[os.write(self._descriptor, data) :]


class _Keeper:
    """Runs one command; see the module."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._parent, self._lifeline, output, most_bytes = map(int, arguments[:4])
        self._grace_s = float(arguments[4])
        self._is_polite = arguments[5] == "1"
        self._command = arguments[6:]
        self._output = _Output(output, most_bytes) if output >= 0 else None
        for descriptor in filter(lambda one: one >= 0, (self._lifeline, output)):
            os.set_inheritable(descriptor, False)  # noqa: FBT003  the library's signature
        self._said = -1
        self._pid = 0
        self._status: int | None = None
        self._kill_at: float | None = None
        self._has_parent = True

    def run(self) -> int:
        """Run the command to its end and return its status, as `os.waitpid` gives it."""
        for number in _TAKEN:  # they are for the command, which may need time
            signal.signal(number, signal.SIG_IGN)
        woken, wake = os.pipe()
        for descriptor in (woken, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        _prctl(_CHILD_SUBREAPER, 1)
        self._start()
        poller = select.poll()
        for descriptor in (woken, self._lifeline, self._said):
            if descriptor >= 0:
                poller.register(descriptor, select.POLLIN)
        while not self._is_over():
            for descriptor, _ in poller.poll(self._wait_s() * 1000):
                if descriptor == woken:
                    os.read(woken, _READ_BYTES)
                elif descriptor == self._said:
                    if self._hear() == b"":
                        poller.unregister(descriptor)
                elif not self._obey(os.read(self._lifeline, 1)):
                    poller.unregister(descriptor)
        while self._said >= 0 and self._hear():
            pass
        assert self._status is not None
        return self._status

    def _start(self) -> None:
        if self._output is not None:
            self._said, says = os.pipe()
            os.set_blocking(self._said, False)
        keeper = os.getpid()
        usual = signal.pthread_sigmask(signal.SIG_BLOCK, _TAKEN)  # while they mean nothing to it
        self._pid = os.fork()
        if self._pid == 0:
            try:
                self._become_command(keeper, None if self._output is None else says, usual)
            except BaseException as err:  # noqa: BLE001  nothing of the keeper may run on in here
                os.write(2, f"cannot run {self._command[0]}: {err}\n".encode())
            os._exit(_CANNOT_RUN)
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):  # their other ends must be told when the command is gone
            os.dup2(nowhere, descriptor)
        if self._output is not None:
            os.close(says)

    def _become_command(self, keeper: int, says: int | None, blocked: Iterable[int]) -> None:
        os.setpgid(0, 0)
        _prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != keeper:
            return
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)  # a shell's background job ignores some
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if says is not None:
            os.dup2(says, 2)
            if self._is_polite:  # else its standard output is for messages
                os.dup2(says, 1)
        os.execvp(self._command[0], list(self._command))  # noqa: S606  the caller's own command

    def _is_over(self) -> bool:
        """Reap who has ended, do what is due, and say whether nothing is left."""
        with contextlib.suppress(ChildProcessError):
            while (reaped := os.waitpid(-1, os.WNOHANG))[0]:
                if reaped[0] == self._pid:
                    self._status = reaped[1]
        now = time.monotonic()
        if self._has_parent and os.getppid() != self._parent:
            self._obey(b"")
        if self._status is not None:
            left = descendants(os.getpid())
            if not left and not _group_lives(self._pid):
                return True
            if self._kill_at is None:
                self._kill_at = now + self._grace_s
                self._signal_all(signal.SIGTERM)
        if self._kill_at is not None and now >= self._kill_at:
            self._signal_all(signal.SIGKILL)
        return False

    def _wait_s(self) -> float:
        if self._status is not None:
            return _LOOK_CLOSELY_S
        if self._kill_at is None:
            return _LOOK_EVERY_S
        return min(_LOOK_EVERY_S, max(_LOOK_CLOSELY_S, self._kill_at - time.monotonic()))

    def _obey(self, word: bytes) -> bool:
        """Do what the parent wants; False if it is gone."""
        if word == b"t":
            self._terminate()
        elif word == b"k":
            self._kill_at = 0.0
        elif self._has_parent:
            self._has_parent = False
            if self._kill_at is None:
                self._kill_at = time.monotonic() + self._grace_s
                if self._is_polite:
                    self._terminate()
        return self._has_parent

    def _terminate(self) -> None:
        if self._status is None:
            _send(self._pid, signal.SIGTERM)

    def _signal_all(self, number: int) -> None:
        for pid in descendants(os.getpid()):
            _send(pid, number)
        if self._status is None:
            _send(self._pid, number)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, number)

    def _hear(self) -> bytes | None:
        """Keep what the command said and return it; empty at the end, None if nothing is there."""
        try:
            data = os.read(self._said, _READ_BYTES)
        except BlockingIOError:
            return None
        if self._output is not None:
            self._output.write(data)
        return data


def _group_lives(pid: int) -> bool:
    """Say whether the process group of a command that has ended still has members."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # a group of zombies, on macOS
        return False
    return True


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _prctl(option: int, value: int) -> None:
    """Set an attribute of this process, where there is prctl: on Linux."""
    if sys.platform == "linux":
        with contextlib.suppress(Exception):  # an interpreter without ctypes
            import ctypes  # noqa: PLC0415  only there

            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main(arguments: Sequence[str]) -> None:
    """Keep a command, and end as it did."""
    status = _Keeper(arguments).run()
    if os.WIFSIGNALED(status):
        with contextlib.suppress(Exception):
            import resource  # noqa: PLC0415  only here

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the core is the command's alone
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
