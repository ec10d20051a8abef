"""The SHA-256 of a large file, computed once and remembered in the cache."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from llmeval_core.support import cache_folder, file_sha256


def remembered_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hex; computed again if its size or time changed.

    Raises:
        OSError: the file cannot be read. A cache that cannot be written is done without.
    """
    stat = path.stat()
    state = [str(path.absolute()), stat.st_size, stat.st_mtime_ns, stat.st_ino]
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]
    note = cache_folder() / "digests" / f"{name}.json"
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["state"] == state:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # nothing there, or nothing of use: it is only a note
    digest = file_sha256(path)
    _write(note, json.dumps({"state": state, "sha256": digest}))
    return digest


def _write(note: Path, text: str) -> None:
    """Write whole or not at all."""
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=note.parent, delete=False
        ) as file:
            file.write(text)
        os.replace(file.name, note)
    except OSError:
        pass  # computed again next time
