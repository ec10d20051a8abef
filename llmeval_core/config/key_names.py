"""Names that users give and that become part of a key: what they may not have in them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from llmeval_core.config.problems import HintedValueError


def _checked(text: str, wrong: str, words: str) -> str:
    """Return a name as it is.

    Raises:
        HintedValueError: it is empty, or has a character in it that parts of a key do not have.
    """
    if not text:
        raise HintedValueError("a name is not empty", "leave it out, or give one")
    if re.search(wrong, text):
        meant = re.sub(rf"(?:{wrong})+", "_", text.strip())
        raise HintedValueError(f"'{text}' has {words} in it", f"write {meant}")
    return text


def _component_name(text: str) -> str:
    return _checked(text, r"[\s/:]", "a space, a slash or a colon")


def _variant_name(text: str) -> str:
    return _checked(text, r"[\s/:.]", "a space, a slash, a colon or a dot")


ComponentName = Annotated[
    str, AfterValidator(_component_name), Field(json_schema_extra={"pattern": r"^[^\s/:]+$"})
]
"""What a component is called in keys."""
VariantName = Annotated[
    str, AfterValidator(_variant_name), Field(json_schema_extra={"pattern": r"^[^\s/:.]+$"})
]
"""What a way of asking is called in keys."""
