"""How texts are made comparable before they are compared."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable
from typing import Literal

from llmeval_core.hooks import without_invisible

Normalization = Literal["none", "strip", "nfkc", "aio", "squad"]
Normalize = Callable[[str], str]

_CORNERS = re.compile(r"「(.*?)」")
_WHITE_CORNERS = re.compile(r"『(.*?)』")
_PARENTHESES = re.compile(r"\(.*?\)")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_AIO_MARKS = str.maketrans("", "", "・=-")
_ASCII_PUNCTUATION = string.punctuation.encode()
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalizer(name: Normalization) -> Normalize:
    """Return the function of that name; all but `none` drop invisible characters first."""
    normalize = _NORMALIZERS[name]
    if normalize is _same:
        return normalize
    if normalize is nfkc:  # the usual one, on the way of each sample
        return lambda text: text.strip() if text.isascii() else nfkc(without_invisible(text))
    return lambda text: normalize(text if text.isascii() else without_invisible(text))


def nfkc(text: str) -> str:
    """Unicode NFKC (full-width to half-width and the like), then strip, as llm-jp-eval v1."""
    if text.isascii():  # NFKC leaves it as it is; five times faster
        return text.strip()
    return unicodedata.normalize("NFKC", text).strip()


def aio(text: str) -> str:
    """Normalise as the AIO quiz does: NFKC, lower case, no quotes, `・=-`, space, parentheses.

    Source: flexeval 0.18.3 `AIONormalizer`, after the official script of AIO 4
    (cl-tohoku/aio4-bpr-baseline `compute_score.py`). No deviation.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.replace("～", "〜"))
    text = text.lower()
    if "」" in text:
        text = _CORNERS.sub(r"\1", text)
    if "』" in text:  # after the others: quotes may lie in quotes
        text = _WHITE_CORNERS.sub(r"\1", text)
    text = "".join(text.translate(_NO_AIO_MARKS).split())
    return _PARENTHESES.sub("", text) if ")" in text else text


def squad(text: str) -> str:
    """Normalise as SQuAD does: lower case, no punctuation, no articles, single spaces.

    Source: the official SQuAD v1.1 evaluation script (Rajpurkar et al., 2016). No deviation.
    """
    text = text.lower()
    if text.isascii():  # most answers; as bytes three times faster
        words = b" ".join(text.encode().translate(None, _ASCII_PUNCTUATION).split())
        text = words.decode()
        if text.isprintable():  # so that only spaces stand between words
            return _without_articles(text)
    return " ".join(_ARTICLES.sub(" ", text.translate(_NO_PUNCTUATION)).split())


def _without_articles(text: str) -> str:
    """Leave the English articles out of words between single spaces."""
    padded = f" {text} "
    for article in (" a ", " an ", " the "):
        while article in padded:  # again: of two in a row, `replace` sees one
            padded = padded.replace(article, " ")
    return padded.strip()


def _same(text: str) -> str:
    return text


_NORMALIZERS: dict[Normalization, Normalize] = {
    "none": _same,
    "strip": str.strip,
    "nfkc": nfkc,
    "aio": aio,
    "squad": squad,
}
