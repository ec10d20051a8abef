"""Entry points of installed distributions, although the metadata of some cannot be read.

`importlib_metadata.entry_points()` raises as soon as one distribution of anybody is in disorder:
its file is not UTF-8, has a line that is none, or may not be read. Here that one is passed over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import importlib_metadata
from importlib_metadata import Distribution, EntryPoint

from llmeval_core.errors import describe_error, must_propagate

_FILE = "entry_points.txt"


@dataclass(frozen=True, slots=True)
class SkippedDistribution:
    """A distribution whose entry points are not used, and why.

    Args:
        is_shadowed: whether it could be read, and another one of its name comes first.
    """

    distribution: str
    version: str
    reason: str
    is_shadowed: bool = False


def find_entry_points(group: str) -> tuple[list[EntryPoint], list[SkippedDistribution]]:
    """Find the entry points of a group, and the distributions that were passed over."""
    found: list[EntryPoint] = []
    skipped: list[SkippedDistribution] = []
    seen: dict[str, tuple[Distribution, str]] = {}
    for distribution in _distributions(skipped):
        try:
            text = _text(distribution)
            key = _key(distribution)
            ours = f"[{group}]" in text
            if key in seen:
                first, first_text = seen[key]
                if ours and (_known(distribution), text) != (_known(first), first_text):
                    skipped.append(_shadowed(distribution, first))
                continue
            seen[key] = distribution, text
            if ours:
                found += [point for point in distribution.entry_points if point.group == group]
        except BaseException as err:  # boundary: anybody's metadata
            if must_propagate(err):
                raise
            reason = f"its {_FILE} cannot be read: {describe_error(err)}"
            skipped.append(SkippedDistribution(*origin_of(distribution), reason))
    return found, skipped


def origin(point: EntryPoint) -> tuple[str, str]:
    """Name the distribution of an entry point and its version; `?` for what is unknown."""
    return ("?", "?") if point.dist is None else origin_of(point.dist)


def origin_of(distribution: Distribution) -> tuple[str, str]:
    """Name a distribution and its version: by its metadata, else by its folder's name."""
    name, version = _known(distribution)
    if name is not None and version is not None:
        return name, version
    stem, _, number = _place(distribution).rpartition("/")[2].rpartition(".")[0].partition("-")
    return name or stem or "?", version or number or "?"


def _distributions(skipped: list[SkippedDistribution]) -> Iterator[Distribution]:
    """Ask each finder; one that breaks gives no more, and the others still do."""
    context = importlib_metadata.DistributionFinder.Context()  # type: ignore[no-untyped-call]  # theirs
    for finder in list(sys.meta_path):
        find: Any = getattr(finder, "find_distributions", None)  # Any: an optional part of finders
        if find is None:
            continue
        try:
            given: Iterable[Distribution] = find(context)
            yield from given
        except BaseException as err:  # plugin boundary: a finder is foreign code
            if must_propagate(err) or isinstance(err, GeneratorExit):
                raise
            name = getattr(finder, "__name__", type(finder).__name__)
            reason = f"this finder of distributions broke: {describe_error(err)}"
            skipped.append(SkippedDistribution(str(name), "?", reason))


def _text(distribution: Distribution) -> str:
    """Read the entry points' file; empty if there is none.

    Raises:
        PermissionError: it is there, and may not be read; `read_text` says nothing of that.
    """
    text = distribution.read_text(_FILE)
    if text is None:
        folder: Any = getattr(distribution, "_path", None)  # Any: a path, maybe inside a zip file
        if folder is not None and (folder / _FILE).is_file():
            raise PermissionError(f"'{folder / _FILE}' may not be read")
    return text or ""


def _key(distribution: Distribution) -> str:
    """Return the name by which one distribution hides another."""
    name = getattr(distribution, "_normalized_name", None)  # of the folder: cheap to find
    return str(name) if isinstance(name, str) else _place(distribution)


def _known(distribution: Distribution) -> tuple[str | None, str | None]:
    """Read name and version from the metadata; None for what that does not say."""
    known: list[str | None] = []
    for key in ("Name", "Version"):
        try:
            value: object = distribution.metadata[key]
        except BaseException as err:  # plugin boundary: metadata of a half-removed distribution
            if must_propagate(err):
                raise
            value = None
        known.append(value if isinstance(value, str) and value else None)
    return known[0], known[1]


def _place(distribution: Distribution) -> str:
    return str(getattr(distribution, "_path", distribution)).rstrip("/")


def _shadowed(distribution: Distribution, first: Distribution) -> SkippedDistribution:
    name, version = origin_of(distribution)
    reason = f"it is installed twice; {_place(first)} comes first, {_place(distribution)} is left"
    return SkippedDistribution(name, version, reason, is_shadowed=True)
