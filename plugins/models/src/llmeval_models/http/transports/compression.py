"""Compressed bodies, decompressed up to a bound."""

from __future__ import annotations

import zlib

from llmeval_models.http.transports.transport import (
    ResponseLimits,
    TransportError,
    UnusableResponseError,
    body_too_long,
)

ACCEPTED = "gzip, deflate"
"""What a server may compress with, as it stands in `Accept-Encoding`."""
_EITHER = 47  # zlib's word for gzip or zlib, by the first bytes
_RAW = -15
_MOST_MEMBERS = 16


def decompressed(content: bytes, encoding: str | None, limits: ResponseLimits) -> bytes:
    """Decompress a body by its `Content-Encoding`.

    A small body can stand for gigabytes: no more than the bound is ever made of it.

    Raises:
        UnusableResponseError: it is too long, or compressed in an unknown way.
        TransportError: it is not compressed as it says, or not whole.
    """
    coding = (encoding or "identity").strip().lower().removeprefix("x-")
    if coding in ("identity", "") or not content:
        return content
    if coding not in ("gzip", "deflate"):
        raise UnusableResponseError(
            f"the answer is compressed in an unknown way: {coding[:40]!r}",
            hint=f"the server may use {ACCEPTED}, or nothing",
        )
    try:
        return _inflate(content, _EITHER, limits)
    except zlib.error as err:
        if coding == "deflate":  # some servers leave out the head that the standard wants
            try:
                return _inflate(content, _RAW, limits)
            except zlib.error:
                pass
        raise TransportError(f"the answer is not {coding}: {err}") from err


def _inflate(content: bytes, wbits: int, limits: ResponseLimits) -> bytes:
    whole = bytearray()
    for _ in range(_MOST_MEMBERS):  # gzip may stand after gzip
        inflater = zlib.decompressobj(wbits)
        whole += inflater.decompress(content, limits.answer_bytes + 1 - len(whole))
        if len(whole) > limits.answer_bytes:
            raise body_too_long(limits)
        if not inflater.eof:
            raise TransportError("the compressed answer is not whole")
        content = inflater.unused_data
        if not content:
            break
    return bytes(whole)
