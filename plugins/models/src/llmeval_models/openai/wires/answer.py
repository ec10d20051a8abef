"""Reading one HTTP/1.1 answer, piece by piece as it arrives (RFC 9112)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

from llmeval_models.openai.wires.wire import BrokenError, Reply

_LONGEST_HEAD = 256 * 1024
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-5]\d\d)(?: .*)?")
_HEX = re.compile(rb"[0-9a-fA-F]{1,15}")
_HEAD_ENDS = b"\r\n\r\n"
_ODD = "the answer is not HTTP/1.1"
_TLS = "it speaks TLS"
_TLS_RECORDS = (0x15, 0x16)  # an alert, a handshake


class Answer:
    """One answer; `feed` it until it says that it is whole.

    Attributes:
        keeps_alive: whether the server takes another request on the connection.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self._content = bytearray()
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._chunked = False
        self._length: int | None = None  # None: until the connection closes
        self.keeps_alive = False

    def feed(self, data: bytes) -> bool:
        """Take what arrived; whether the answer is whole now.

        Raises:
            BrokenError: this is not HTTP.
        """
        self._received += data
        if not self._status and not self._read_head():
            return False
        if self._chunked:
            return self._read_chunks()
        if self._length is None:
            return False
        if len(self._received) < self._length:
            return False
        self.keeps_alive &= len(self._received) == self._length  # more than was asked for
        return True

    def ends_by_closing(self) -> bool:
        """Tell whether an answer is whole when the server closes the connection now."""
        return bool(self._status) and not self._chunked and self._length is None

    def reply(self) -> Reply:
        """Give the whole answer.

        Raises:
            BrokenError: it is compressed, and not rightly.
        """
        content = self._content if self._chunked else self._received[: self._length]
        encoding = self._headers.get("content-encoding", "identity").lower()
        if encoding in ("gzip", "deflate") and content:
            try:
                content = bytearray(zlib.decompress(content, wbits=47))  # either, by its head
            except zlib.error as err:
                raise BrokenError(f"the answer is not {encoding}: {err}") from err
        elif encoding != "identity":
            raise BrokenError(f"the answer is compressed in an unknown way: {encoding}")
        headers = self._headers
        return Reply(self._status, bytes(content), lambda name: headers.get(name.lower()))

    def _read_head(self) -> bool:
        end = self._received.find(_HEAD_ENDS)
        if end < 0:
            if len(self._received) > _LONGEST_HEAD:
                raise BrokenError("the head of the answer has no end")
            if not b"HTTP/1.".startswith(self._received[:7]):
                raise BrokenError(_TLS if self._received[0] in _TLS_RECORDS else _ODD)
            return False
        first, *lines = self._received[:end].decode("utf-8", "surrogateescape").split("\r\n")
        del self._received[: end + len(_HEAD_ENDS)]
        found = _STATUS_LINE.fullmatch(first)
        if found is None:
            raise BrokenError(_ODD)
        status = int(found[2])
        if status < 200:  # 100 Continue and the like: the answer follows
            return self._read_head()
        self._headers = headers = _headers(lines)
        connection = headers.get("connection", "").lower()
        self.keeps_alive = "close" not in connection and (
            found[1] == "1" or "keep-alive" in connection
        )
        self._frame(status)
        self._status = status
        return True

    def _frame(self, status: int) -> None:
        """Find out where the body ends."""
        coding = self._headers.get("transfer-encoding", "").lower()
        length = self._headers.get("content-length")
        if status in (204, 304):
            self._length = 0
        elif coding:
            self._chunked = coding == "chunked"
            if not self._chunked:
                raise BrokenError(f"the answer is encoded in an unknown way: {coding}")
        elif length is not None:
            if not (length.isascii() and length.isdigit()):
                raise BrokenError(_ODD)
            self._length = int(length)
        else:
            self.keeps_alive = False

    def _read_chunks(self) -> bool:
        """Take the chunks that are there; whether the last one was."""
        received, at = self._received, 0
        try:
            while (line_end := received.find(b"\r\n", at)) >= 0:
                size_text = received[at:line_end].split(b";")[0].strip()
                if not _HEX.fullmatch(size_text):
                    raise BrokenError(_ODD)
                size, begin = int(size_text, 16), line_end + 2
                if size == 0:
                    return self._read_trailers(line_end)
                if len(received) < begin + size + 2:
                    return False
                if received[begin + size : begin + size + 2] != b"\r\n":
                    raise BrokenError(_ODD)
                self._content += received[begin : begin + size]
                at = begin + size + 2
        finally:
            del received[:at]
        return False

    def _read_trailers(self, begin: int) -> bool:
        """Pass over what follows the last chunk, up to an empty line."""
        end = self._received.find(_HEAD_ENDS, begin)
        if end < 0:
            return False
        self.keeps_alive &= end + len(_HEAD_ENDS) == len(self._received)
        return True


def _headers(lines: list[str]) -> dict[str, str]:
    """Read header lines, names in small letters; of several with one name the first counts."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name[0] in " \t" or name[-1] in " \t":
            raise BrokenError(_ODD)
        name, value = name.lower(), value.strip(" \t")
        if headers.setdefault(name, value) != value and name == "content-length":
            raise BrokenError(_ODD)
    return headers
