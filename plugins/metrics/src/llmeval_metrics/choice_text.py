"""Bringing an answer into plain text before a choice is looked for in it."""

from __future__ import annotations

import re
import unicodedata

from llmeval_core.hooks import boxed_texts, without_invisible

_TAGGED = re.compile(
    r"(?i)<\|?(?:begin_of_)?(?:final[_ ]?)?(?:answer|choice|box|ans)\|?>(.{0,500}?)"
    r"(?:</?\|?(?:end_of_)?(?:final[_ ]?)?(?:answer|choice|box|ans)\|?>|\Z)",
    re.DOTALL,
)
_COMMAND = re.compile(r"\\{1,2}(?:[A-Za-z]{1,20}\s?(?=\{)|(?:quad|qquad|,|;|!|\s))")
_GROUP = re.compile(r"\{\s?([^{}\n]{0,200})\s?\}")
_MATHS = re.compile(r"\$\$?|\\{1,2}[()\[\]]")
_HASHES = re.compile(r"(?<!#)####(?!#)[ \t]*+([^\s#][^\n]{0,3})(?:\n|\Z)")  # not a heading in words
_DEEPEST = 4


def plain_text(text: str) -> str:
    """Drop invisible characters, LaTeX's `\\text{...}` and `$`, and other widths; then strip."""
    text = unicodedata.normalize("NFKC", without_invisible(text))
    if "\\" in text or "$" in text:
        text = _MATHS.sub("", _COMMAND.sub("", text))
        for _ in range(_DEEPEST):
            inner = _GROUP.sub(r"\1", text)
            if inner == text:
                break
            text = inner
    return text.strip()


def marked_texts(text: str) -> list[str]:
    r"""Return what is marked as the answer, the last first: in `\boxed{}`, `<answer>`, `####`."""
    marked = boxed_texts(text)[::-1] if "box" in text else []
    if "<" in text:
        marked += [found[1] for found in _TAGGED.finditer(text)][::-1]
    if "####" in text:
        marked += _HASHES.findall(text)[::-1]
    return marked
