"""Does a tool keep its promises? Models call it, with whatever they write."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence

from llmeval_core.contracts import Tool
from llmeval_core.naming import Json

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What servers that speak OpenAI's protocol take for the name of a function."""

_ODD_NUMBERS: tuple[Json, ...] = (True, -1, 10**400, 1.5, math.nan, math.inf)
_ODD_TEXTS: tuple[Json, ...] = (None, "", "\ud800", "9" * 400)
_ODD_STRUCTURES: tuple[Json, ...] = ([], [None], {}, {"a": {}})
_ODD = (*_ODD_NUMBERS, *_ODD_TEXTS, *_ODD_STRUCTURES)
"""What models may write for an argument: `json.loads` gives all of these."""


async def check_tool(tool: Tool, cases: Sequence[Mapping[str, Json]] = ()) -> list[str]:
    """Call a tool, also as no model should; return what a model would read for each case.

    Args:
        tool: the tool.
        cases: arguments. Where the tool raises `ValueError`, the text is `error: ` and the message.

    Raises:
        AssertionError: it breaks a promise of `contracts.Tool`; the message says which.
    """
    named = _check_spec(tool)
    texts = [await _told(tool, case) for case in cases]
    again = [await _told(tool, case) for case in cases]
    assert again == texts, "the same arguments give another text the second time"
    await _told(tool, {})
    await _told(tool, {"no_such_argument": "x"})
    for odd in _ODD:
        await _told(tool, dict.fromkeys(named, odd))
        for case in cases:
            for name in case:
                await _told(tool, {**case, name: odd})
    return texts


def _check_spec(tool: Tool) -> list[str]:
    """Check what models are told of it; return the names of its arguments."""
    spec = tool.spec
    assert _NAME.fullmatch(spec.name), (
        f"its name '{spec.name}' is not of up to 64 letters a to z, digits, '_' and '-'"
    )
    assert spec.description.strip(), "its spec has no description; models choose tools by it"
    schema = json.loads(json.dumps(spec.parameters, allow_nan=False))
    assert schema.get("type") == "object", "the schema of its arguments is not of type 'object'"
    named = schema.get("properties", {})
    assert isinstance(named, dict), "`properties` in the schema of its arguments is no object"
    unknown = sorted(set(schema.get("required", [])) - set(named))
    assert not unknown, f"it requires '{unknown[0]}', which its `properties` do not describe"
    return list(named)


async def _told(tool: Tool, arguments: Mapping[str, Json]) -> str:
    """Call it with arguments; all that it may raise is `ValueError` with a message."""
    try:
        text = await tool.call(dict(arguments))
    except ValueError as err:
        problem = str(err).strip()
    except Exception as err:
        raise AssertionError(
            f"with {arguments!r} it raises {type(err).__name__}: {err}; "
            "a ValueError would tell the model what is wrong"
        ) from err
    else:
        assert isinstance(text, str), f"call() gave a {type(text).__name__}"
        return text
    assert problem, f"with {arguments!r} it raises a ValueError that says nothing"
    return f"error: {problem}"
