"""Keys and values that MLflow accepts, made so that two originals never become one.

MLflow allows letters, digits, `_ - . : /` and spaces in metric, param and tag keys, 250
characters, and refuses what is not a normal path (`a//b`, `/a`, `..`). A key that is already
legal stays as it is; any other gets `_` for what is refused and a digest of the original. So
does a legal key that looks as if it had such a digest: that keeps the mapping injective.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

HIDDEN = "mlflow.llmeval."
"""Begins the key of a tag that is for the tracker alone: MLflow's UI shows no tags of `mlflow.`"""
MAX_KEY = 250
MAX_PARAM = 6000
MAX_TAG = 8000
MAX_RUN_NAME = 250
MAX_FILE_BYTES = 200

_REFUSED = re.compile(r"[^/\w.\- :]")
_LOOKS_MADE = re.compile(r".*-[0-9a-f]{12}", re.DOTALL)
_NOT_IN_FILES = re.compile(r"[/:]")


def legal_key(original: str) -> str:
    """Return the metric, param or tag key for a name; the name itself if it is legal."""
    legal = _REFUSED.sub("_", unicodedata.normalize("NFC", original))
    legal = _as_normal_path(legal)
    if legal == original and len(legal) <= MAX_KEY and not _LOOKS_MADE.fullmatch(legal):
        return legal
    mark = _mark(original)
    return f"{_as_normal_path(legal[: MAX_KEY - len(mark)])}{mark}"


def file_name(original: str, suffix: str) -> str:
    """Return a flat artifact name for a task: `aio_0shot` becomes `aio_0shot.json`."""
    legal = _NOT_IN_FILES.sub("_", legal_key(original))
    if legal == original and len((legal + suffix).encode()) <= MAX_FILE_BYTES:
        return legal + suffix
    mark = _mark(original)
    room = MAX_FILE_BYTES - len(mark) - len(suffix)
    return f"{legal.encode()[:room].decode(errors='ignore')}{mark}{suffix}"


def short_value(original: str, limit: int) -> tuple[str, str | None]:
    """Return a param or tag value that is never cut silently: too long ones end in a digest.

    NUL, which PostgreSQL refuses, and lone surrogates are replaced, with a digest as well.

    Returns:
        The value, and the digest that it ends in; None if the value is the original.
    """
    text = original.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    if text == original and len(text) <= limit:
        return text, None
    mark = _mark(original)
    return f"{text[: limit - len(mark) - 1]}…{mark}", mark[1:]


def _mark(original: str) -> str:
    data = original.encode("utf-8", "surrogatepass")
    return "-" + hashlib.blake2b(data, digest_size=6).hexdigest()


def _as_normal_path(key: str) -> str:
    """Make every part of a path one that `normpath` keeps; MLflow refuses `..x` too."""
    parts = [part if part not in ("", ".", "..") else "_" for part in key.split("/")]
    normal = "/".join(parts)
    return f"_{normal[1:]}" if normal.startswith("..") else normal
