"""Headings of translations, which get the anchors of the original: links fit every language."""

from __future__ import annotations

import re
from pathlib import Path

_HEADING = re.compile(r"(?m)^(#+) (.+)$")
_WIDE = r"[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]"
_BREAK = re.compile(rf"(?<={_WIDE})\n *(?={_WIDE})")
_CODE = re.compile(r"(?ms)^```.*?^```$")


def original_of(paper: Path) -> Path | None:
    """Return the paper of which this one is a translation; None if it is none."""
    if not paper.name.endswith(".ja.md"):
        return None
    original = paper.with_name(paper.name.removesuffix(".ja.md") + ".md")
    return original if original.exists() else None


def anchors(paper: Path) -> list[str]:
    """List the anchors of a paper's headings, in order, as they are made from their words."""
    text = _CODE.sub("", paper.read_text(encoding="utf-8"))
    return [_anchor(words) for _, words in _HEADING.findall(text)]


def with_original_anchors(text: str, original: Path) -> str:
    """Give each heading of a translation the anchor of the heading that it translates."""
    ids = iter(anchors(original))
    blocks = re.split(r"(?ms)(^```.*?^```$)", text)
    return "".join(
        block if block.startswith("```") else _HEADING.sub(lambda m: _marked(m, next(ids)), block)
        for block in blocks
    )


def with_joined_lines(text: str) -> str:
    """Join the lines of Japanese paragraphs, between which a browser would put a space."""
    blocks = re.split(r"(?ms)(^```.*?^```$)", text)
    return "".join(b if b.startswith("```") else _BREAK.sub("", b) for b in blocks)


def original_anchor(anchor: str, paper: Path) -> str:
    """Turn an anchor of a translation into that of the original; any other stays as it is."""
    original = original_of(paper)
    if original is None:
        return anchor
    return dict(zip(anchors(paper), anchors(original), strict=True)).get(anchor, anchor)


def _marked(heading: re.Match[str], anchor: str) -> str:
    return f"{heading[0]} {{ #{anchor} }}"


def _anchor(words: str) -> str:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words)
    return re.sub(r"[^\w\- ]", "", plain).lower().strip().replace(" ", "-")
