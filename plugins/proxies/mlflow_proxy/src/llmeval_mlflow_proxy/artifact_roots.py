"""Where artifacts may be: MLflow's own artifact root, and what the administrator added."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_OWN_ROOT = "mlflow-artifacts:/"
"""MLflow resolves this relative to its own root."""
_BY_REFERENCE = ("runs:/", "models:/")
"""URIs of objects that MLflow has already; it resolves them itself."""
_NO_ARTIFACTS = frozenset({"prompt-template", "dummy-source"})
"""What MLflow's clients write as the source of a prompt, which has no artifacts."""
_MOST_ENCODINGS = 5
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f\\?#;]")


@dataclass(frozen=True, slots=True)
class ArtifactRoots:
    """The locations below which a client may let MLflow read and write.

    Args:
        roots: absolute folders, or URIs such as `s3://bucket/mlflow`, without a slash at the end.
    """

    roots: tuple[str, ...] = ()

    @classmethod
    def of(cls, roots: Iterable[str]) -> ArtifactRoots:
        """Create them from what was configured."""
        return cls(tuple(root.rstrip("/") for root in roots))

    def contains(self, location: str) -> bool:
        """Whether an artifact location is below a root; the empty one means MLflow's default.

        A location that two parsers could read differently is not: one with dot segments, however
        encoded, with backslashes, control characters, a query or a fragment.
        """
        if not location:
            return True
        if not _is_plain(location):
            return False
        if location.startswith(_OWN_ROOT):
            return not location.startswith("mlflow-artifacts://")
        if any(_is_below(location, root) for root in self.roots):
            return True
        path = _local_path(location)
        return path is not None and any(_is_below(path, root) for root in self.roots)

    def contains_source(self, source: str) -> bool:
        """Whether the source of a model version is below a root, or refers to what is."""
        if source in _NO_ARTIFACTS:
            return True
        if source.startswith(_BY_REFERENCE):
            return _is_plain(source) and not source.partition(":/")[2].startswith("/")
        return self.contains(source)


def leaves_folder(path: str) -> bool:
    """Whether a relative path of an artifact leads out of its folder."""
    decoded = _decoded(path)
    if decoded is None:
        return True
    parts = re.split(r"[/\\]", decoded)
    is_absolute = decoded.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", decoded)
    return ".." in parts or bool(is_absolute) or decoded.lower().startswith("file:")


def _is_plain(location: str) -> bool:
    decoded = _decoded(location)
    if decoded is None or _NOT_PLAIN.search(decoded) or decoded != decoded.strip():
        return False
    return not {".", ".."} & set(decoded.split("/"))


def _decoded(text: str) -> str | None:
    """Undo percent-encoding until none is left; None if it is nested too deeply."""
    for _ in range(_MOST_ENCODINGS):
        decoded = unquote(text)
        if decoded == text:
            return decoded
        text = decoded
    return None


def _is_below(location: str, root: str) -> bool:
    return bool(root) and (location == root or location.startswith(f"{root}/"))


def _local_path(location: str) -> str | None:
    """Return the path of a `file:` URI; None if it is something else."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return None
    # MLflow takes `FILE:` for the name of a folder, so it must be written in small letters.
    if not location.startswith("file:") or parts.netloc not in ("", "localhost"):
        return None
    path = unquote(parts.path)
    return path if path.startswith("/") and posixpath.normpath(path) == path else None
