"""Texts that UTF-8, and so the journal, can keep."""

from __future__ import annotations


def whole_text(text: str) -> str:
    """Join the halves of surrogate pairs; a half that is alone becomes U+FFFD.

    JSON can say them apart, and a stream may part them; UTF-8, and so the journal, cannot.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
