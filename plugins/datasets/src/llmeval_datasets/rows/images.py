"""Images of a row: bytes in the row, a file beside it, or an address that is sent as it is.

A row may come from anybody. So a path leads only to files in the data set's own folder, and what
they hold must begin as an image does: nothing else of the disk goes to a model's server.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import os
import re
import stat
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmeval_core.hooks import ImagePart
from llmeval_datasets.rows.values import FieldError, is_missing, kind_of

MOST_BYTES = 32 * 2**20
"""The largest image; no server takes one of this size."""
KNOWN = "PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF or HEIC"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_SHOWN_CHARS = 80
_HEAD_BYTES = 32
_BEGINNINGS = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"BM.{8}.\x00\x00\x00", re.DOTALL), "image/bmp"),
    (re.compile(rb"II\*\x00|MM\x00\*"), "image/tiff"),
    (re.compile(rb".{4}ftypavi[fs]", re.DOTALL), "image/avif"),
    (re.compile(rb".{4}ftyp(?:hei[cxms]|mif1|msf1)", re.DOTALL), "image/heic"),
)


def image_of(value: Any, folder: Path | None) -> ImagePart:
    """Read an image; Any: what stands in the file.

    Args:
        value: a text (an address, a `data:` URI, or a path), bytes, or an object with `bytes`,
            `url` or `path`, as the `datasets` library keeps images.
        folder: what paths are relative to; None if there is none.

    Raises:
        FieldError: it is none; the message begins with `is` or `has`.
    """
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("bytes", "url", "path") if _has(value, key)), value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _of_bytes(bytes(value), "binary data")
    if not isinstance(value, str) or is_missing(value):
        kind = "an empty text" if isinstance(value, str) else kind_of(value)
        raise FieldError(f"is {kind}, not an image", hint=_HINT)
    scheme = _SCHEME.match(value)
    if scheme is None:
        return _of_path(value, folder)
    if scheme[1].lower() == "data":
        return _of_data(value)
    if scheme[1].lower() in ("http", "https"):
        return _of_address(value)
    raise FieldError(
        f"has the address '{_shown(value)}', which is not http, https or data", hint=_HINT
    )


def is_no_image(value: Any) -> bool:
    """Tell what says that a row has no image here: null, or an object of nulls; Any: see above."""
    if isinstance(value, Mapping):
        return all(map(is_no_image, value.values()))
    if isinstance(value, bytes | bytearray | memoryview | list | tuple):
        return not value
    return is_missing(value)


_HINT = (
    "an image is a path (relative to the file, in its folder), a `data:` URI with base64, or an "
    "address that the model's server can fetch"
)


def _has(value: Mapping[str, Any], key: str) -> bool:
    return not is_no_image(value.get(key))


def _of_address(text: str) -> ImagePart:
    """Take an address, which the model's server fetches."""
    try:
        parts = urllib.parse.urlsplit(text)
        is_sound = bool(parts.hostname) and text.isprintable() and " " not in text
    except ValueError:
        is_sound = False
    if not is_sound:
        raise FieldError(f"has an address that cannot be: '{_shown(text)}'", hint=_HINT)
    guessed = mimetypes.guess_type(parts.path)[0] or ""
    return ImagePart(guessed if guessed.startswith("image/") else "image/*", url=text)


def _of_data(text: str) -> ImagePart:
    """Read a `data:` URI."""
    head, _, body = text.partition(",")
    media_type, *parameters = [part.strip().lower() for part in head[len("data:") :].split(";")]
    if not media_type.startswith("image/") or parameters[-1:] != ["base64"]:
        raise FieldError(
            f"is a data: URI that begins with '{_shown(head)}', not with data:image/...;base64",
            hint=_HINT,
        )
    try:
        packed = "".join(urllib.parse.unquote(body).split())
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as err:
        raise FieldError(f"is a data: URI that is not base64: {err}") from None
    given = "image/jpeg" if media_type == "image/jpg" else media_type
    found = _media_type(data)
    if found is None and data and len(data) <= MOST_BYTES:
        return ImagePart(given, data)  # a kind that is not known here
    image = _of_bytes(data, "a data: URI")
    if image.media_type != given:
        raise FieldError(f"is a data: URI of {media_type} with {image.media_type} in it")
    return image


def _of_path(text: str, folder: Path | None) -> ImagePart:
    """Read a file."""
    shown = f"the file '{_shown(text)}'"
    if folder is None:
        raise FieldError(f"is {shown}, and these rows lie in no folder", hint=_HINT)
    root = os.path.abspath(folder)
    path = os.path.normpath(os.path.join(root, text))
    if not path.startswith(root.rstrip(os.sep) + os.sep):
        raise FieldError(
            f"is {shown}, which is not in the folder of the data set",
            hint="put the images beside the file, or below it",
        )
    try:
        data = _read_file(path)
    except FileNotFoundError:
        raise FieldError(f"is {shown}, which is not there", hint=_HINT) from None
    except (OSError, ValueError) as err:
        why = err.strerror if isinstance(err, OSError) else err
        raise FieldError(f"is {shown}, which cannot be read: {why}") from None
    if data is None:
        raise FieldError(f"is {shown}, which is no file")
    return _of_bytes(data, shown)


def _read_file(path: str) -> bytes | None:
    """Read a file, and no more of it than an image may have; None if it is a pipe or the like."""
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        return file.read(MOST_BYTES + 1)


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for a writer, if it is a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _of_bytes(data: bytes, named: str) -> ImagePart:
    if len(data) > MOST_BYTES:
        raise FieldError(f"is {named} of more than {MOST_BYTES:,} bytes", hint="make it smaller")
    found = _media_type(data)
    if found is None:
        empty = " and is empty" if not data else f", which is no image ({KNOWN})"
        raise FieldError(f"is {named}{empty}")
    return ImagePart(found, data)


def _media_type(data: bytes) -> str | None:
    """Tell what an image is by its first bytes; None if it is none that is known."""
    head = data[:_HEAD_BYTES]
    return next((kind for begin, kind in _BEGINNINGS if begin.match(head)), None)


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."
