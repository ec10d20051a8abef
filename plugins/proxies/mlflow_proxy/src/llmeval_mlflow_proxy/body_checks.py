"""Checks request bodies that may tell MLflow where artifacts are, before they are forwarded.

MLflow lets whoever creates an experiment choose the location of its artifacts, and later reads and
writes there with its own rights: an experiment at `/etc` gives access to files of its machine.
Checked against MLflow 3.17: `artifact_location` of experiments (writes and reads any file), the
trace tags `mlflow.artifactLocation` and `mlflow.trace.archiveLocation`, also as an attribute of
an OTLP span (reads any `traces.json`). MLflow checks sources of model versions itself, except for
remote ones such as `s3://`; older versions check less.
"""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from llmeval_mlflow_proxy.artifact_roots import ArtifactRoots
from llmeval_mlflow_proxy.json_bodies import (
    JsonPairs,
    UnreadableBodyError,
    encoded,
    objects_in,
    read_json,
)

LARGEST_BODY_BYTES = 32_000_000
"""Largest body that is checked, also after decompression."""

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

BodyCheck = Callable[[bytes, str], bytes]
"""Checks a body, given its Content-Encoding, and returns the body to forward.

Raises `ForbiddenLocationError` or `UnreadableBodyError`.
"""


class ForbiddenLocationError(Exception):
    """A body names a location that is not MLflow's own."""


@dataclass(frozen=True, slots=True)
class _JsonCheck:
    """Checks JSON.

    Args:
        roots: where artifacts may be.
        keys: keys whose values are locations, in lower case and without other characters.
        has_source: whether `source` is a location too.
    """

    roots: ArtifactRoots
    keys: frozenset[str]
    has_source: bool

    def __call__(self, raw: bytes, encoding: str) -> bytes:
        if encoding not in ("", "identity"):
            raise UnreadableBodyError("the body is compressed")
        if not raw.strip():
            return raw
        content = read_json(raw)
        for fields in objects_in(content):
            for key, value in self._locations(fields):
                _check(key, value, self.roots.contains)
            if self.has_source:
                for key, value in fields:
                    if key.lower() == "source":
                        _check(key, value, self.roots.contains_source)
        return encoded(content)

    def _locations(self, fields: JsonPairs) -> Iterator[tuple[str, Any]]:
        """Yield the locations, under their own keys or as the value of a tag; Any: JSON."""
        tags = [str(value).lower() for key, value in fields if key.lower() == "key"]
        named = next((tag for tag in tags if tag in _LOCATION_TAGS), None)
        for key, value in fields:
            lowered = key.lower()
            if _NOT_LETTER.sub("", lowered) in self.keys or lowered in _LOCATION_TAGS:
                yield key, value
            elif lowered == "value" and named is not None:
                yield named, value


def body_check(path: str, roots: ArtifactRoots) -> BodyCheck | None:
    """Return the check for the body of a request that changes something; None if it needs none.

    Args:
        path: as `decoded_path` gives it.
        roots: where artifacts may be.
    """
    if _WITH_LOCATIONS.search(path):
        # The keys of a trace's tags are its owner's to choose.
        keys = frozenset[str]() if _TRACES.search(path) else _LOCATION_KEYS
        return _JsonCheck(roots, keys, has_source=_SOURCES.search(path) is not None)
    return _checked_spans if _SPANS.search(path) else None


def _check(key: str, value: Any, contains: Callable[[str], bool]) -> None:
    if value is not None and not (isinstance(value, str) and contains(value)):
        raise ForbiddenLocationError(f"'{key}' names a place that is not MLflow's own")


def _checked_spans(raw: bytes, encoding: str) -> bytes:
    """Return spans unchanged if they set no location; MLflow makes tags of some attributes."""
    plain = _decompressed(raw, encoding)
    # Protobuf has strings as they are; JSON may have them in escapes and other encodings.
    names = [match.group().decode() for match in _SPAN_TAG.finditer(plain)]
    with contextlib.suppress(UnreadableBodyError):
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
        raise UnreadableBodyError(
            f"a body with Content-Encoding {encoding[:20]} cannot be read here"
        )
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
            raise UnreadableBodyError("the body is too large once it is decompressed")
        if stream.unused_data or not stream.eof:
            raise UnreadableBodyError("the body has several compressed parts, or is cut")
        return plain
    raise UnreadableBodyError("the compressed body is broken")
