"""Files that are replaced as a whole: a reader, and a crash, sees the old or the new one."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LEFT_BEHIND_S = 3600.0
"""A draft that nobody has written to for so long is what a crash left behind, seconds."""


def write_atomically(
    path: Path, content: str | bytes, *, mode: int | None = None, durable: bool = False
) -> None:
    """Put new content in the place of the old; see `atomic_draft`. A text is written as UTF-8.

    Raises:
        OSError: it cannot be written; the old content is still there.
    """
    data = content.encode() if isinstance(content, str) else content
    with atomic_draft(path, mode=mode, durable=durable) as draft, draft.open("wb") as file:
        file.write(data)


@contextmanager
def atomic_draft(path: Path, *, mode: int | None = None, durable: bool = False) -> Iterator[Path]:
    """Give an empty file beside a path, which takes its name at the end of the block.

    If the block fails, the draft is removed, and what was there stays. Several processes may
    replace the same file at once: the last one wins, none of them tears another's. A symbolic link
    stays one: the file that it points to is replaced. The folder is made if it is missing.

    Args:
        path: the file to be replaced; it need not exist.
        mode: the permissions of the new file; None for those of the old file, else the usual.
        durable: whether it has to be on the disk when the block is left, so that it also outlives
            a power cut: for what cannot be had again.

    Raises:
        OSError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(target)
    draft = _draft_of(target, secrets.token_hex(6))
    # As open(2) does it, so that the umask counts; closed to others from the first moment on.
    descriptor = os.open(
        draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600
    )
    os.close(descriptor)
    try:
        if mode is None:
            with contextlib.suppress(FileNotFoundError):
                mode = stat.S_IMODE(target.stat().st_mode)
        if mode is not None:
            draft.chmod(mode)
        yield draft
        if durable:
            _sync(draft)
        os.replace(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if durable and os.name == "posix":  # elsewhere a folder cannot be opened
        _sync(target.parent)


def _draft_of(target: Path, word: str) -> Path:
    return target.with_name(f".{target.name}.{word}.draft")


def _remove_left_behind(target: Path) -> None:
    """Remove the drafts of processes that died while they wrote."""
    first, last = f".{target.name}.", ".draft"
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if entry.name.startswith(first) and entry.name.endswith(last):
                with contextlib.suppress(OSError):
                    if time.time() - entry.stat().st_mtime > _LEFT_BEHIND_S:
                        os.unlink(entry)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
