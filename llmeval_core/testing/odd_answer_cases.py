"""Does a model plugin believe its server? Each place of an answer is filled with odd values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from llmeval_core.errors import ModelError
from llmeval_core.generation import check_generation
from llmeval_core.naming import Json
from llmeval_core.records import Generation, Request

_LEFT_OUT = object()


def odd_values() -> list[Any]:
    """Make the values that servers have put where others belong; Any: JSON, with NaN and 1e400.

    New ones at each call, because some are lists and objects.
    """
    deep: Any = "deep"
    for _ in range(200):
        deep = [{"type": "text", "text": deep, "content": [deep]}] if _ % 50 == 0 else [deep]
    numbers = [0, 1, -1, 7, 0.5, -2.5, 1e300, 2**31, 2**63, 10**400, -(10**400)]
    words = ["", " ", "0", "42", "stop", "error", "a\ud83d", "\x00", "\u202e", "x" * 5000]
    lists = [[], [None], [[]], [{}], ["x"], [1, "x", None, {}], [[[]]], [{"type": "text"}]]
    objects = [{}, {"": None}, {"type": "stop"}, {"text": "x"}, {"message": None}, {"code": 0}]
    notions = [None, True, False, float("nan"), float("inf"), -float("inf")]
    return [*notions, *numbers, *words, *lists, *objects, deep]


def odd_answers(answer: Json) -> Iterator[tuple[str, Any]]:
    """Fill each place of an answer with each odd value in turn, and leave each key out once.

    Args:
        answer: a good answer, as JSON.

    Yields:
        What was done, such as `choices[0].message = null`, and the answer; Any: JSON.
    """
    for path in _paths(answer):
        for value in (*odd_values(), *([_LEFT_OUT] if path and isinstance(path[-1], str) else [])):
            shown = "left out" if value is _LEFT_OUT else f"= {repr(value)[:40]}"
            yield f"{_shown(path)} {shown}", _changed(answer, path, value)


async def check_odd_answers(
    ask: Callable[[Any], Awaitable[Generation]], answer: Json, *, request: Request
) -> int:
    """Ask a model again and again, with a server whose answer is odd in one place each time.

    Args:
        ask: lets the server say this JSON (Any), and asks the model the request.
        answer: what the server says when all is well.
        request: what the model is asked.

    Returns:
        How many odd answers were tried.

    Raises:
        AssertionError: the model raised something else than ModelError, or gave a Generation that
            could not be scored, counted or kept; the message says for which answer.
    """
    n_tried = 0
    for what, odd in odd_answers(answer):
        n_tried += 1
        try:
            generation = await ask(odd)
        except ModelError:
            continue
        except Exception as err:
            name = type(err).__name__
            raise AssertionError(f"{what}: {name}; only ModelError is understood") from err
        try:
            check_generation(request, generation)
        except ModelError as err:
            raise AssertionError(f"{what}: {err.what}") from err
    return n_tried


_Path = tuple[str | int, ...]


def _paths(value: Json, path: _Path = ()) -> Iterator[_Path]:
    """Name every place, the outermost first."""
    yield path
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _paths(inside, (*path, key))
    elif isinstance(value, list):
        for place, inside in enumerate(value):
            yield from _paths(inside, (*path, place))


def _changed(value: Any, path: _Path, new: Any) -> Any:
    """Copy a JSON value with one place changed; Any: JSON."""
    if not path:
        return new
    step, *rest = path
    if isinstance(value, dict):
        if new is _LEFT_OUT and not rest:
            return {key: inside for key, inside in value.items() if key != step}
        return {
            key: _changed(inside, tuple(rest), new) if key == step else inside
            for key, inside in value.items()
        }
    return [
        _changed(inside, tuple(rest), new) if place == step else inside
        for place, inside in enumerate(value)
    ]


def _shown(path: _Path) -> str:
    shown = "".join([f".{step}" if isinstance(step, str) else f"[{step}]" for step in path])
    return shown.removeprefix(".") or "the answer"
