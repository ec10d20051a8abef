"""Reading one HTTP/1.1 answer, piece by piece as it arrives (RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from llmeval_models.http.transports.compression import decompressed
from llmeval_models.http.transports.transport import (
    HttpResponse,
    ResponseLimits,
    TransportError,
    body_too_long,
    headers_too_long,
)

_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-5]\d\d)(?: .*)?")
_HEX = re.compile(rb"[0-9a-fA-F]{1,15}")
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")  # a line may end without \r (RFC 9112, 2.2)
_BARE_CR = re.compile(rb"\r[^\n]")
_ODD = "the answer is not HTTP/1.1"
_SWITCHED = 101  # no protocol was offered to switch to, and nothing follows that is HTTP
_TLS = "it speaks TLS"
_TLS_RECORDS = (0x15, 0x16)  # an alert, a handshake
_LIMITS = ResponseLimits()


class ResponseParser:
    """One answer; `feed` it until it says that it is whole.

    Args:
        limits: how long it may be.

    Attributes:
        keeps_alive: whether the server takes another request on the connection.
    """

    def __init__(self, limits: ResponseLimits = _LIMITS) -> None:
        self._limits = limits
        self._n_received = 0
        self._n_head = 0
        self._received = bytearray()
        self._content = bytearray()
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._tells_quota = True
        self._chunked = False
        self._length: int | None = None  # None: until the connection closes
        self.keeps_alive = False

    def feed(self, data: bytes) -> bool:
        """Take what arrived; whether the answer is whole now.

        Raises:
            UnusableResponseError: it is too long.
            TransportError: this is not HTTP.
        """
        self._received += data
        self._n_received += len(data)
        if not self._status and not self._read_head():
            return False
        if self._chunked:
            return self._read_chunks()
        if self._length is None:
            if len(self._received) > self._limits.answer_bytes:
                raise body_too_long(self._limits)
            return False
        if len(self._received) < self._length:
            return False
        self.keeps_alive &= len(self._received) == self._length  # more than was asked for
        return True

    def ends_by_closing(self) -> bool:
        """Tell whether an answer is whole when the server closes the connection now."""
        return bool(self._status) and not self._chunked and self._length is None

    def response(self) -> HttpResponse:
        """Give the whole answer.

        Raises:
            UnusableResponseError: it is too long decompressed, or compressed in an unknown way.
            TransportError: it is compressed, and not rightly.
        """
        content = self._content if self._chunked else self._received[: self._length]
        headers = self._headers
        plain = decompressed(bytes(content), headers.get("content-encoding"), self._limits)
        return HttpResponse(
            self._status, plain, lambda name: headers.get(name.lower()), self._tells_quota
        )

    def _read_head(self) -> bool:
        """Take status and headers if they are all there; heads of 100 and the like before them."""
        while True:
            self._skip_empty_lines()
            found = _head_end(self._received)
            n_head = found[1] if found else len(self._received)
            if self._n_head + n_head > self._limits.header_bytes:
                raise headers_too_long(self._limits)
            if found is None:
                if not b"HTTP/1.".startswith(self._received[:7]):
                    raise TransportError(_TLS if self._received[0] in _TLS_RECORDS else _ODD)
                if _BARE_CR.search(self._received):  # its head would never end
                    raise TransportError(_ODD)
                return False
            head = self._received[: found[0]].decode("utf-8", "surrogateescape")
            text = head.replace("\r\n", "\n")
            if "\0" in text or "\r" in text:
                raise TransportError(_ODD)
            first, *lines = text.split("\n")
            del self._received[:n_head]
            self._n_head += n_head
            said = _STATUS_LINE.fullmatch(first)
            if said is None:
                raise TransportError(_ODD)
            status = int(said[2])
            if status >= 200 or status == _SWITCHED:
                break
        is_folded = "\n " in text or "\n\t" in text
        self._headers = headers = _headers(_unfolded(lines) if is_folded else lines)
        self._tells_quota = "limit" in text.lower()
        connection = headers.get("connection", "").lower()
        self.keeps_alive = "close" not in connection and (
            said[1] == "1" or "keep-alive" in connection
        )
        self._frame(status)
        self._status = status
        return True

    def _skip_empty_lines(self) -> None:
        """Pass over empty lines before the status line, as some servers leave them there."""
        n_empty = 0
        while n_empty < len(self._received) and self._received[n_empty] in b"\r\n":
            n_empty += 1
        if n_empty:
            del self._received[:n_empty]
            self._n_head += n_empty

    def _frame(self, status: int) -> None:
        """Find out where the body ends."""
        coding = self._headers.get("transfer-encoding", "").lower()
        length = self._headers.get("content-length")
        if status in (_SWITCHED, 204, 304):
            self._length = 0
            self.keeps_alive &= status != _SWITCHED
        elif coding:
            self.keeps_alive &= length is None  # two lengths: who knows where the next one begins
            self._chunked = coding == "chunked"
            if not self._chunked:
                raise TransportError(f"the answer is encoded in an unknown way: {coding}")
        elif length is not None:
            if not (length.isascii() and length.isdigit()):
                raise TransportError(_ODD)
            if len(length) > 18 or int(length) > self._limits.answer_bytes:
                raise body_too_long(self._limits)
            self._length = int(length)
        else:
            self.keeps_alive = False

    def _read_chunks(self) -> bool:
        """Take the chunks that are there; whether the last one was."""
        limits, received, at = self._limits, self._received, 0
        if self._n_received > 2 * limits.answer_bytes + limits.header_bytes:
            raise body_too_long(limits)  # more between the chunks than in them
        try:
            while (line_end := received.find(b"\n", at)) >= 0:
                if line_end - at > limits.header_bytes:
                    raise headers_too_long(limits)
                size_text = received[at:line_end].split(b";", 1)[0].strip()
                if not _HEX.fullmatch(size_text):
                    raise TransportError(_ODD)
                size, begin = int(size_text, 16), line_end + 1
                if size == 0:
                    return self._read_trailers(line_end)
                if len(self._content) + size > limits.answer_bytes:
                    raise body_too_long(limits)
                end = begin + size
                after = bytes(received[end : end + 2])
                if after in (b"", b"\r"):
                    return False
                if not after.startswith(b"\n") and after != b"\r\n":
                    raise TransportError(_ODD)
                self._content += received[begin:end]
                at = end + after.index(b"\n") + 1
            if len(received) - at > limits.header_bytes:
                raise headers_too_long(limits)
        finally:
            del received[:at]
        return False

    def _read_trailers(self, begin: int) -> bool:
        """Pass over what follows the last chunk, up to an empty line."""
        found = _HEAD_ENDS.search(self._received, begin)
        if found is None:
            if len(self._received) - begin > self._limits.header_bytes:
                raise headers_too_long(self._limits)
            return False
        self.keeps_alive &= found.end() == len(self._received)
        return True


def _head_end(received: bytearray) -> tuple[int, int] | None:
    """Find where a head ends and the body begins: as `_HEAD_ENDS`, in a third of the time."""
    end = received.find(b"\n\r\n")
    bare = received.find(b"\n\n", 0, end + 1 if end >= 0 else len(received))
    if bare >= 0:
        end, begin = bare, bare + 2
    elif end >= 0:
        begin = end + 3
    else:
        return None
    return end - (end > 0 and received[end - 1] == ord("\r")), begin


def _headers(lines: list[str]) -> dict[str, str]:
    """Read header lines, names in small letters; of several with one name the first counts."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name[0] in " \t" or name[-1] in " \t":
            raise TransportError(_ODD)
        name, value = name.lower(), value.strip(" \t")
        if headers.setdefault(name, value) != value and name == "content-length":
            raise TransportError(_ODD)
    return headers


def _unfolded(lines: list[str]) -> list[str]:
    """Put folded lines together: one that begins with a space belongs to the one before it."""
    whole: list[str] = lines[:1]
    for line in lines[1:]:
        if line.startswith((" ", "\t")):
            whole[-1] += " " + line.strip(" \t")
        else:
            whole.append(line)
    return whole
