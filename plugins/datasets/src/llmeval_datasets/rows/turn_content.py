"""What a turn of a conversation says: a text, or parts of text and images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmeval_core.hooks import ImagePart, TextPart
from llmeval_datasets.rows.images import image_of
from llmeval_datasets.rows.turn_words import SUPPORTED, TurnError, checked, has, keys, said
from llmeval_datasets.rows.values import FieldError, listed

Content = str | tuple[TextPart | ImagePart, ...]
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_IMAGE_PARTS = {"image_url": "image_url", "input_image": "image_url", "image": "image"}
"""The types of parts with an image, and the key that has it."""
_WITH_IMAGES = frozenset({"user", "tool"})


def content_of(
    item: Mapping[str, Any],
    key: str,
    named: str,
    *,
    role: str,
    folder: Path | None,
    is_needed: bool,
) -> Content:
    """Read what a turn says; parts that are texts alone are joined to one.

    Args:
        item: the turn; Any: what stands in the file.
        key: where its content is.
        named: what errors call it.
        role: whose turn it is, in the words of `Message`.
        folder: what paths of images are relative to; None if there is none.
        is_needed: whether it has to say something.

    Raises:
        TurnError: it cannot be sent as it is.
    """
    if not is_needed and not has(item, key):
        return ""
    if key not in item:
        raise TurnError(f"has {named} without `{key}`; it has {keys(item)}", hint=SUPPORTED)
    content = item[key]
    listing = None if isinstance(content, str) else listed(content)
    if listing is not None:
        parts = tuple(
            _part(part, f"{named}, part {place}", role=role, folder=folder)
            for place, part in enumerate(listing, 1)
        )
        if any(isinstance(part, ImagePart) for part in parts):
            return tuple(part for part in parts if isinstance(part, ImagePart) or part.text)
        content = "".join(part.text for part in parts if isinstance(part, TextPart))
    if not isinstance(content, str):
        raise TurnError(f"has {named} with a `{key}` that is {said(content)}, not a text")
    if is_needed and (not content or content.isspace()):
        raise TurnError(f"has {named}, which is empty")
    return checked(content, named)


def _part(part: Any, named: str, *, role: str, folder: Path | None) -> TextPart | ImagePart:
    """Read one part of a turn's content; Any: what stands in the file."""
    if not isinstance(part, Mapping):
        raise TurnError(f"has {named}, which is {said(part)}, not an object with type and text")
    kind = part.get("type")
    if isinstance(kind, str) and kind in _IMAGE_PARTS:
        if role not in _WITH_IMAGES:
            raise TurnError(f"has {named}, an image that is not of user or tool", hint=SUPPORTED)
        return _image(part, _IMAGE_PARTS[kind], named, folder)
    if not isinstance(kind, str) or kind not in _TEXT_PARTS:
        what = f"of type '{kind}'" if isinstance(kind, str) else "without a type"
        raise TurnError(f"has {named}, which is {what}, not text or image", hint=SUPPORTED)
    text = part.get("text")
    if not isinstance(text, str):
        raise TurnError(f"has {named} with a text that is {said(text)}, not a text")
    return TextPart(checked(text, named))


def _image(part: Mapping[str, Any], key: str, named: str, folder: Path | None) -> ImagePart:
    """Read a part that is an image; Any: what stands in the file."""
    if not has(part, key):
        raise TurnError(f"has {named} without `{key}`; it has {keys(part)}", hint=SUPPORTED)
    value = part[key]
    inner = value if isinstance(value, Mapping) else {}
    detail = inner.get("detail") if inner.get("detail") is not None else part.get("detail")
    if detail not in (None, "auto"):
        raise TurnError(
            f"has {named} with a `detail`, which is not sent to the model",
            hint="take `detail` out",
        )
    try:
        return image_of(value, folder)
    except FieldError as err:
        raise TurnError(f"has {named}, whose `{key}` {err}", hint=err.hint) from None
