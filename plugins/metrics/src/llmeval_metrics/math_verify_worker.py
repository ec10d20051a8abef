"""What runs in the child process: asked `[references..., text]`, it answers with the verdict.

The verdict is `[right, parsed]`; `right` is null if no reference is a formula.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from llmeval_core.support import ParentChannel
from llmeval_metrics.math_verify_text import with_delimiters

_MOST_MEMORY_BYTES = 4 << 30


def main() -> None:
    """Answer each message with `[right, parsed]`, until there are no more."""
    parent = ParentChannel()
    _limit_memory()
    from math_verify import parse, verify  # noqa: PLC0415  heavy, and an extra

    for message in parent:
        items = json.loads(message)
        verdict = _judge(items[:-1], items[-1], parse, verify) if items else (False, None)
        parent.answer(json.dumps(verdict).encode())


def _judge(
    references: list[str], text: str, parse: Callable[..., Any], verify: Callable[..., Any]
) -> tuple[bool | None, str | None]:
    """Compare; Any: math-verify has no type information. None: no reference is a formula.

    Neither gets a time limit of its own: whoever reads the reply has one, and kills.
    """
    wanted = [gold for reference in references if (gold := _formula(reference, parse))]
    if not wanted:
        return None, None
    try:
        answer = parse(with_delimiters(text), parsing_timeout=None)
        right = any(verify(gold, answer, timeout_seconds=None) for gold in wanted)
        return bool(right), str(answer[-1]) if answer else None
    except Exception:  # noqa: BLE001  the border: sympy raises anything on what models write
        return False, None


def _formula(reference: str, parse: Callable[..., Any]) -> list[Any]:
    """Parse a reference; empty if it is no formula. A text alone can only be compared by chance."""
    try:
        parsed = parse(with_delimiters(reference), parsing_timeout=None)
    except Exception:  # noqa: BLE001  the border
        return []
    return list(parsed) if any(not isinstance(part, str) for part in parsed) else []


def _limit_memory() -> None:
    """Let `10**10**10` fail in here and not take the machine's memory; not on Windows."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  not everywhere

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))


if __name__ == "__main__":
    main()
