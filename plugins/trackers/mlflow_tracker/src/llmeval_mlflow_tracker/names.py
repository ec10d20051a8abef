"""Keys and values that MLflow accepts; different originals never become the same.

MLflow allows letters, digits, `_ - . : /` and spaces in metric, param and tag keys, 250
characters, and refuses what is not a normal path (`a//b`, `/a`, `..`). A key that is already
legal stays as it is; any other gets `_` for what is refused and a digest of the original, and so
does a legal key that looks as if it had such a digest: this keeps the mapping injective.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

HIDDEN = "mlflow.llmeval."
"""Prefix of tags that are for the tracker alone: MLflow's UI shows no tags of `mlflow.`"""
MAX_KEY = 250
MAX_PARAM = 6000
MAX_TAG = 8000
MAX_RUN_NAME = 250
MAX_FILE_BYTES = 200

_REFUSED = re.compile(r"[^/\w.\- :]")
_HAS_DIGEST = re.compile(r".*-[0-9a-f]{12}", re.DOTALL)
_NOT_IN_FILES = re.compile(r"[/:]")


def legal_key(original: str) -> str:
    """Return the metric, param or tag key for a name; the name itself if it is legal."""
    legal = _REFUSED.sub("_", unicodedata.normalize("NFC", original))
    legal = _as_normal_path(legal)
    if legal == original and len(legal) <= MAX_KEY and not _HAS_DIGEST.fullmatch(legal):
        return legal
    digest_suffix = _digest_suffix(original)
    return f"{_as_normal_path(legal[: MAX_KEY - len(digest_suffix)])}{digest_suffix}"


def file_name(original: str, suffix: str) -> str:
    """Return a flat artifact name for a task: `aio_0shot` becomes `aio_0shot.json`."""
    legal = _NOT_IN_FILES.sub("_", legal_key(original))
    if legal == original and len((legal + suffix).encode()) <= MAX_FILE_BYTES:
        return legal + suffix
    digest_suffix = _digest_suffix(original)
    room = MAX_FILE_BYTES - len(digest_suffix) - len(suffix)
    return f"{legal.encode()[:room].decode(errors='ignore')}{digest_suffix}{suffix}"


def short_value(original: str, limit: int) -> tuple[str, str | None]:
    """Return a param or tag value; one that is too long is cut and ends in a digest.

    NUL, which PostgreSQL refuses, and lone surrogates are replaced, with a digest as well.

    Returns:
        The value, and the digest that it ends in; None if the value is the original.
    """
    text = original.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    if text == original and len(text) <= limit:
        return text, None
    digest_suffix = _digest_suffix(original)
    return f"{text[: limit - len(digest_suffix) - 1]}…{digest_suffix}", digest_suffix[1:]


def _digest_suffix(original: str) -> str:
    data = original.encode("utf-8", "surrogatepass")
    return "-" + hashlib.blake2b(data, digest_size=6).hexdigest()


def _as_normal_path(key: str) -> str:
    """Replace the parts of a path that `normpath` would remove; MLflow refuses `..x` too."""
    parts = [part if part not in ("", ".", "..") else "_" for part in key.split("/")]
    normal = "/".join(parts)
    return f"_{normal[1:]}" if normal.startswith("..") else normal
