"""The SHA-256 of a large file, computed once and remembered in the cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from llmeval_core.support import cache_folder, file_sha256, write_atomically


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
    with contextlib.suppress(OSError):  # computed again next time
        write_atomically(note, json.dumps({"state": state, "sha256": digest}))
    return digest
