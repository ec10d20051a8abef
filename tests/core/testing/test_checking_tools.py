"""The conformance kit finds what is wrong with a tool."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from llmeval_core.naming import Json
from llmeval_core.records import ToolSpec
from llmeval_core.testing import check_tool

COUNTER = itertools.count()
TEXT: dict[str, Json] = {"type": "object", "properties": {"text": {"type": "string"}}}


@dataclass(frozen=True)
class Shout:
    """A tool that may break one promise; Any: a broken one gives anything."""

    spec: ToolSpec = field(default_factory=lambda: ToolSpec("shout", "writes in capitals", TEXT))
    wrong: str = ""

    async def call(self, arguments: Mapping[str, Json]) -> Any:
        text = arguments["text"] if self.wrong == "trusting" else arguments.get("text")
        if not isinstance(text, str):
            raise ValueError("" if self.wrong == "silent" else "`text` must be a text")
        if self.wrong == "clock":
            return f"{text} {next(COUNTER)}"
        return len(text) if self.wrong == "number" else text.upper()


async def test_a_good_one_passes_and_its_texts_are_told() -> None:
    texts = await check_tool(Shout(), [{"text": "hello"}, {"text": 3}])

    assert texts == ["HELLO", "error: `text` must be a text"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("trusting", "with {} it raises KeyError: 'text'; a ValueError would tell the model"),
        ("silent", "with {} it raises a ValueError that says nothing"),
        ("clock", "the same arguments give another text the second time"),
        ("number", "call() gave a int"),
    ],
)
async def test_a_broken_promise_is_told(wrong: str, told: str) -> None:
    with pytest.raises(AssertionError) as caught:
        await check_tool(Shout(wrong=wrong), [{"text": "hello"}])

    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (ToolSpec("a tool", "does it", TEXT), "its name 'a tool' is not of up to 64 letters"),
        (ToolSpec("shout", "", TEXT), "its spec has no description"),
        (ToolSpec("shout", "does it"), "the schema of its arguments is not of type 'object'"),
        (ToolSpec("shout", "does it", TEXT | {"required": ["x"]}), "it requires 'x'"),
    ],
)
async def test_a_spec_that_servers_or_models_cannot_use_is_told(spec: ToolSpec, told: str) -> None:
    with pytest.raises(AssertionError) as caught:
        await check_tool(Shout(spec))

    assert str(caught.value).startswith(told)
