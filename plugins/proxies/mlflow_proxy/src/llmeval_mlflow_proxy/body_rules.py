"""Which request bodies are read before they are passed on, and what may not stand in them.

MLflow takes the place of artifacts from whoever makes an experiment, and later reads and writes
there with its own rights: an experiment at `/etc` makes it a way to every file of its machine.
Checked against MLflow 3.17: `artifact_location` of experiments (writes and reads any file), the
trace tags `mlflow.artifactLocation` and `mlflow.trace.archiveLocation`, also as an attribute of
an OTLP span (reads any `traces.json`). Sources of model versions it checks itself, but for
places elsewhere, such as `s3://`; older versions check less.
"""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from llmeval_mlflow_proxy.json_bodies import (
    Fields,
    UnreadableError,
    objects_in,
    read_json,
    written,
)
from llmeval_mlflow_proxy.locations import ArtifactRoots

LARGEST_BODY_BYTES = 32_000_000
"""Most bytes of a body that is read here, also after decompression."""

_API = r"(^|/)(ajax-)?api/[^/]+/mlflow"
_WITH_LOCATIONS = re.compile(
    _API + r"/(experiments|traces|logged-models|registered-models|model-versions|workspaces)"
    r"(?![\w-])"
)
_SPANS = re.compile(r"(^|/)v1/traces(?![\w-])")
_SOURCES = re.compile(_API + r"/model-versions(?![\w-])")
_TRACES = re.compile(_API + r"/traces(?![\w-])")
_LOCATION_KEYS = frozenset(
    {"artifactlocation", "artifacturi", "artifactroot", "defaultartifactroot", "location"}
)
_LOCATION_TAGS = frozenset(
    {"mlflow.artifactlocation", "mlflow.trace.archivelocation", "mlflow.trace.artifactlocation"}
)
_SPAN_TAG = re.compile(rb"mlflow\.tracetag\.[\w.]+", re.IGNORECASE)
_NOT_LETTER = re.compile(r"[^a-z]")

BodyRule = Callable[[bytes, str], bytes]
"""Takes a body and its Content-Encoding, and returns the body to pass on.

Raises `ForbiddenLocationError` or `UnreadableError`.
"""


class ForbiddenLocationError(Exception):
    """A body names a place that is not MLflow's own."""


@dataclass(frozen=True, slots=True)
class _JsonRule:
    """Checks JSON.

    Args:
        roots: where artifacts may lie.
        keys: keys whose values name a place, in small letters and nothing else.
        has_source: whether `source` names a place too.
    """

    roots: ArtifactRoots
    keys: frozenset[str]
    has_source: bool

    def __call__(self, raw: bytes, encoding: str) -> bytes:
        if encoding not in ("", "identity"):
            raise UnreadableError("the body is compressed")
        if not raw.strip():
            return raw
        content = read_json(raw)
        for fields in objects_in(content):
            for key, value in self._locations(fields):
                _check(key, value, self.roots.hold)
            if self.has_source:
                for key, value in fields:
                    if key.lower() == "source":
                        _check(key, value, self.roots.hold_source)
        return written(content)

    def _locations(self, fields: Fields) -> Iterator[tuple[str, Any]]:
        """Give what names a place, under its own name or as the value of a tag; Any: JSON."""
        tags = [str(value).lower() for key, value in fields if key.lower() == "key"]
        named = next((tag for tag in tags if tag in _LOCATION_TAGS), None)
        for key, value in fields:
            lowered = key.lower()
            if _NOT_LETTER.sub("", lowered) in self.keys or lowered in _LOCATION_TAGS:
                yield key, value
            elif lowered == "value" and named is not None:
                yield named, value


def body_rule(path: str, roots: ArtifactRoots) -> BodyRule | None:
    """Return how the body of a request that changes something is checked; None for not at all.

    Args:
        path: as `plain_path` gives it.
        roots: where artifacts may lie.
    """
    if _WITH_LOCATIONS.search(path):
        # The keys of a trace's tags are its owner's to choose.
        keys = frozenset[str]() if _TRACES.search(path) else _LOCATION_KEYS
        return _JsonRule(roots, keys, has_source=_SOURCES.search(path) is not None)
    return _checked_spans if _SPANS.search(path) else None


def _check(key: str, value: Any, hold: Callable[[str], bool]) -> None:
    if value is not None and not (isinstance(value, str) and hold(value)):
        raise ForbiddenLocationError(f"'{key}' names a place that is not MLflow's own")


def _checked_spans(raw: bytes, encoding: str) -> bytes:
    """Pass spans that set no place, as they came; MLflow makes tags of some attributes."""
    plain = _decompressed(raw, encoding)
    # Protobuf has strings as they are; JSON may have them in escapes and other encodings.
    names = [match.group().decode() for match in _SPAN_TAG.finditer(plain)]
    with contextlib.suppress(UnreadableError):
        for fields in objects_in(read_json(plain)):
            names += [value for _, value in fields if isinstance(value, str)]
    for name in names:
        tag = name.lower().removeprefix("mlflow.tracetag.")
        if tag != name.lower() and tag.startswith(tuple(_LOCATION_TAGS)):
            raise ForbiddenLocationError(f"'{name[:80]}' names the place of a trace")
    return raw


def _decompressed(raw: bytes, encoding: str) -> bytes:
    windows = {"": 0, "identity": 0, "gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
    if encoding not in windows:
        raise UnreadableError(f"a body with Content-Encoding {encoding[:20]} cannot be read here")
    if not windows[encoding]:
        return raw
    for bits in (windows[encoding], -zlib.MAX_WBITS):
        try:
            stream = zlib.decompressobj(bits)
            plain = stream.decompress(raw, LARGEST_BODY_BYTES + 1)
        except zlib.error:
            if encoding == "deflate":  # some say deflate and mean it without its header
                continue
            break
        if len(plain) > LARGEST_BODY_BYTES or stream.unconsumed_tail:
            raise UnreadableError("the body is too large once it is decompressed")
        if stream.unused_data or not stream.eof:
            raise UnreadableError("the body has several compressed parts, or is cut")
        return plain
    raise UnreadableError("the compressed body is broken")
