"""Opens files as bytes: unpacked by their first bytes, bounded, and what is no data is named."""

from __future__ import annotations

import bz2
import difflib
import gzip
import importlib
import io
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from llmeval_core.hooks import ConfigError, DatasetError
from llmeval_datasets.files.file_type_check import refuse_foreign

_HEAD_BYTES = 4096
_BLOCK = 1 << 18
_ADDRESS = re.compile(r"[a-z][a-z0-9]+:/")


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much is read at most: characters of a line, bytes of an unpacked file."""

    line_chars: int = 16_777_216
    unpacked_bytes: int = 17_179_869_184


DEFAULT_LIMITS = ReadLimits()


class UnpackError(OSError):
    """A compressed file cannot be read on; the message says why."""


Check = Callable[[bytes, Path], None]


def open_bytes(
    path: Path, limits: ReadLimits = DEFAULT_LIMITS, *, check: Check = refuse_foreign
) -> io.BufferedReader:
    """Open a file, unpacked if it is compressed.

    Reading it raises OSError where it is broken.

    Args:
        path: the file.
        limits: how much may come out of it.
        check: refuses it by its first (unpacked) bytes.

    Raises:
        DatasetError: it is not there, cannot be read, or is no data; the nearest name is offered.
        ConfigError: a library is missing that unpacks it.
    """
    raw = _open(path)
    try:
        head = raw.peek(_HEAD_BYTES)
        unpack = next((unpack for magic, unpack in _UNPACKERS if magic.match(head)), None)
        if unpack is None:
            check(head, path)
            return raw
        packed = _Unpacked(unpack(raw, path), raw, limits.unpacked_bytes)
        # cast: typeshed's reader has a type parameter that Python 3.11's does not take
        unpacked = cast("io.BufferedReader", io.BufferedReader(packed, _BLOCK))
        try:
            check(unpacked.peek(_HEAD_BYTES), path)
        except OSError as err:
            raise DatasetError(f"cannot read the file: {err}", where=str(path)) from err
    except BaseException:
        raw.close()
        raise
    return unpacked


class _Unpacked(io.RawIOBase):
    """Counts what comes out of a compressed file; every failure becomes an OSError.

    Args:
        stream: gives the unpacked bytes.
        raw: the file below; closed with this.
        most: bytes that may come out.
    """

    def __init__(self, stream: BinaryIO, raw: io.BufferedReader, most: int) -> None:
        self._stream = stream
        self._raw = raw
        self._most = self._left = most

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read unpacked bytes; Any: a writable buffer has no type of its own in Python 3.11."""
        try:
            block = self._stream.read(len(buffer))
        except OSError as err:
            raise UnpackError(f"the compressed file is broken: {err}") from err
        except _BROKEN as err:
            raise UnpackError(f"the compressed file is broken: {err}") from err
        except Exception as err:  # each library has errors of its own
            raise UnpackError(f"cannot unpack: {type(err).__name__}: {err}") from err
        self._left -= len(block)
        if self._left < 0:
            raise UnpackError(
                f"unpacks to more than {self._most} bytes; `max_unpacked_bytes` allows more"
            )
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file below, too."""
        if not self.closed:
            self._stream.close()
            self._raw.close()
        super().close()


_BROKEN = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def _open(path: Path) -> io.BufferedReader:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            what = "a folder" if path.is_dir() else "a device or pipe, which is read only once"
            raise DatasetError(
                f"this is {what}, not a file", where=str(path), hint="name a file in the folder"
            )
        return path.open("rb")
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, ValueError) as err:
        why = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
        raise DatasetError(f"cannot read the file: {why}", where=str(path)) from err


def _missing(path: Path) -> DatasetError:
    if path.is_symlink():
        return DatasetError(
            f"the file is a link to '{path.readlink()}', which is not there",
            where=str(path),
            hint="fetch it, as with `git annex get` or `dvc pull`",
        )
    if _ADDRESS.match(str(path)):
        return DatasetError(
            f"'{path}' is an address; files are read from disk",
            hint="download it first; for the Hugging Face hub use `huggingface:`",
        )
    try:
        names = [other.name for other in path.parent.iterdir()]
    except OSError:
        return DatasetError(
            f"there is no file '{path}'", hint=f"there is no folder '{path.parent}'"
        )
    near = difflib.get_close_matches(path.name, names, n=1)
    hint = f"did you mean '{path.with_name(near[0])}'?" if near else "check the path"
    return DatasetError(f"there is no file '{path}'", hint=hint)


def _gzip(raw: io.BufferedReader, path: Path) -> BinaryIO:
    return _binary(gzip.GzipFile(fileobj=raw))


def _bz2(raw: io.BufferedReader, path: Path) -> BinaryIO:
    return _binary(bz2.BZ2File(raw))


def _xz(raw: io.BufferedReader, path: Path) -> BinaryIO:
    return _binary(lzma.LZMAFile(raw))


def _zst(raw: io.BufferedReader, path: Path) -> BinaryIO:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            library = importlib.import_module(name)
        except ImportError:
            continue
        return _binary(library.ZstdFile(raw))
    raise ConfigError(
        "Zstandard files need backports.zstd",
        where=str(path),
        hint='pip install "llmeval-datasets[zstd]"',
    )


def _zip(raw: io.BufferedReader, path: Path) -> BinaryIO:
    try:
        archive = zipfile.ZipFile(raw)
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        if "[Content_Types].xml" in names:
            raise DatasetError(
                "this is an Office file such as an Excel workbook",
                where=str(path),
                hint="save it as CSV (UTF-8)",
            )
        files = [name for name in names if not _is_litter(name)]
        if len(files) != 1:
            raise DatasetError(
                f"the archive has {len(files)} files: {', '.join(files[:5]) or 'none'}",
                where=str(path),
                hint="unpack it, and name the file or a pattern",
            )
        return _binary(archive.open(files[0]))
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as err:
        raise DatasetError(
            f"cannot open the zip archive: {err}", where=str(path), hint="unpack it yourself"
        ) from err


def _is_litter(name: str) -> bool:
    last = name.rpartition("/")[2]
    return name.startswith("__MACOSX/") or last.startswith(".") or last == "Thumbs.db"


def _binary(stream: Any) -> BinaryIO:
    """Any: these read like any binary file, but do not say so to the type checker."""
    found: BinaryIO = stream
    return found


_UNPACKERS = (
    (re.compile(rb"\x1f\x8b"), _gzip),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), _bz2),
    (re.compile(rb"\xfd7zXZ\x00"), _xz),
    (re.compile(rb"\x28\xb5\x2f\xfd"), _zst),
    (re.compile(rb"PK(?:\x03\x04|\x05\x06)"), _zip),
)
