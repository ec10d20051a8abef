"""Small commands that the tests of child processes start."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from llmeval_core.support import ChildCommand

ANSWERING = """
import os, sys, time
from llmeval_core.support import ParentChannel
parent = ParentChannel()
print("this is printed", flush=True)
for message in parent:
    match message.partition(b" "):
        case [b"die", _, words]:
            print(words.decode(), file=sys.stderr, flush=True)
            os._exit(3)
        case [b"hang", _, _]:
            time.sleep(600)
        case [b"read", _, _]:
            parent.answer(sys.stdin.read().encode())
        case [b"long", _, n_bytes]:
            parent.answer(b"x" * int(n_bytes))
        case [b"chatter", _, _]:
            parent.answer(b"")
            for _ in range(100):
                parent.answer(b"x" * 10_000)
        case _:
            parent.answer(message.upper())
"""
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); " \
    "time.sleep(600)"  # fmt: skip


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def answering() -> ChildCommand:
    return ChildCommand(python(ANSWERING), takes_messages=True)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until(condition: Callable[[], object], *, within_s: float = 20.0) -> None:
    give_up_at = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up_at, "it did not come about"
        time.sleep(0.01)


def pids_in(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]


FAMILY = """
import os, pathlib, subprocess, sys, time
folder, depth = pathlib.Path(sys.argv[1]), int(sys.argv[2])
(folder / str(os.getpid())).touch()
if depth:
    code = pathlib.Path(sys.argv[3]).read_text()
    argv = [sys.executable, "-c", code, str(folder), str(depth - 1), sys.argv[3]]
    subprocess.Popen(argv, start_new_session=depth % 2 == 1)
if sys.argv[4:] != ["leave"]:
    time.sleep(600)
"""


def family(folder: Path, *, leave: bool = False) -> ChildCommand:
    """Return a command with a child and a grandchild, each of which notes its id in the folder."""
    source = folder / "family.py"
    source.write_text(FAMILY)
    argv = python(FAMILY, str(folder), "2", str(source))
    return ChildCommand([*argv, "leave"] if leave else argv, environ=dict(os.environ))
