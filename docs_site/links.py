"""Links of papers, which lead from file to file in the tree, turned to the pages of the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docs_site.translations import (
    original_anchor,
    original_of,
    with_joined_lines,
    with_original_anchors,
)

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^\s*(```|~~~)")
_OTHER_LANGUAGE = re.compile(r"\*\[[^\]]+\]\([^)]+\.md\)\*\n\n?|\s?\(\[日本語\]\([^)]+\)\)")
"""Says where the same paper is in another language; the site has a switch for that."""


@dataclass(frozen=True, slots=True)
class SitePages:
    """Where each paper of the tree has its page.

    Args:
        root: of the tree.
        places: of each paper its place in the site.
    """

    root: Path
    places: Mapping[Path, str]


def site_text(text: str, paper: Path, pages: SitePages) -> str:
    """Turn the links of a paper; a link to what has no page leaves its words."""
    original = original_of(paper)
    if original is not None:
        text = with_joined_lines(with_original_anchors(text, original))
    lines, is_code = [], False
    for line in _OTHER_LANGUAGE.sub("", text).split("\n"):
        if _FENCE.match(line):
            is_code = not is_code
        lines.append(
            line if is_code else _LINK.sub(lambda found: _turned(found, paper, pages), line)
        )
    return "\n".join(lines)


def _turned(found: re.Match[str], paper: Path, pages: SitePages) -> str:
    mark, words, link = found.groups()
    if "://" in link or link.startswith("mailto:"):
        return found[0]
    file, hash_, anchor = link.partition("#")
    target = (paper.parent / file).resolve() if file else paper
    anchor = original_anchor(anchor, target) if anchor else ""
    if not file:
        return f"{mark}[{words}](#{anchor})"
    here = posixpath.dirname(pages.places[paper])
    place = pages.places.get(target)
    if place is None and target.is_file() and target.is_relative_to(pages.root / "docs"):
        place = target.relative_to(pages.root / "docs").as_posix()  # a file that is copied as it is
    if place is None:
        return str(words)
    if place.endswith(".ja.md"):  # the site finds the language by itself
        place = place.removesuffix(".ja.md") + ".md"
    return f"{mark}[{words}]({posixpath.relpath(place, here or '.')}{hash_}{anchor})"
