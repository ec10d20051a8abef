"""The pieces of a streamed answer, and the answer that they make."""

from __future__ import annotations

from typing import Any

from llmeval_models.http.embedded_error_search import as_error_answer, embedded_error_in

_THOUGHTS = ("reasoning_content", "reasoning")
_LISTS = ("reasoning_details", "thinking_blocks", "tool_calls")
_MOST_CHOICES = 10_000


class StreamedResponse:
    """Collects the chunks of one answer of chat or completions.

    It is whole if each choice has a finish reason, or the stream its `[DONE]`.

    Attributes:
        is_over: whether nothing more is to be expected: the server said so, or told an error.
    """

    def __init__(self) -> None:
        self.is_over = False
        self._choices: dict[int, _StreamedChoice] = {}
        self._more: dict[str, Any] = {}
        self._error: dict[str, Any] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the answer."""
        if self.is_over:
            return True
        return bool(self._choices) and all(choice.ended for choice in self._choices.values())

    @property
    def state(self) -> str:
        """How far it came, for people."""
        return "before the answer ended" if self._choices else "before the answer began"

    def add(self, chunk: dict[str, Any]) -> None:
        """Add one chunk; an error in it ends the answer. Any: JSON."""
        if embedded_error_in(chunk) is not None:
            self._error, self.is_over = chunk, True
            return
        for key in ("model", "usage", "prompt_filter_results"):
            if chunk.get(key) is not None:
                self._more[key] = chunk[key]
        choices = chunk.get("choices")
        for place, piece in enumerate(choices if isinstance(choices, list) else ()):
            if not isinstance(piece, dict):
                self._choice(place).odd = piece
                continue
            index = piece.get("index")
            if type(index) is not int or not 0 <= index < _MOST_CHOICES:
                index = place
            self._choice(index).add(piece)

    def end(self) -> None:
        """Note that the server said `[DONE]`."""
        self.is_over = True

    def fail(self, error: Any) -> None:
        """Take an error that came as an event; Any: JSON, or a text."""
        self._error = as_error_answer(error)
        self.is_over = True

    def joined(self) -> dict[str, Any]:
        """Give the answer as if it had come at once; Any: JSON."""
        if self._error is not None:
            return self._error
        choices = [choice.joined(index) for index, choice in sorted(self._choices.items())]
        return {**self._more, "choices": choices}

    def _choice(self, index: int) -> _StreamedChoice:
        return self._choices.setdefault(index, _StreamedChoice())


class _StreamedChoice:
    """One choice; Any: JSON of any shape, which is looked at when the answer is read."""

    def __init__(self) -> None:
        self.odd: Any = None
        self._finish_reason: Any = None
        self._is_chat = False
        self._texts: list[Any] = []
        self._message: dict[str, list[Any]] = {}

    @property
    def ended(self) -> bool:
        return self._finish_reason is not None

    def add(self, piece: dict[str, Any]) -> None:
        if piece.get("finish_reason") is not None:
            self._finish_reason = piece["finish_reason"]
        if piece.get("text") is not None:
            self._texts.append(piece["text"])
        delta = piece.get("delta", piece.get("message"))
        if delta is None:
            return
        if not isinstance(delta, dict):
            self.odd = piece
            return
        self._is_chat = True
        for key in ("content", "refusal", *_THOUGHTS):
            if delta.get(key) is not None:
                self._message.setdefault(key, []).append(delta[key])
        for key in _LISTS:
            if isinstance(delta.get(key), list):
                self._message.setdefault(key, []).extend(delta[key])
        if isinstance(delta.get("function_call"), dict):  # the older word for one call
            piece_of_call = {"index": 0, "function": delta["function_call"]}
            self._message.setdefault("tool_calls", []).append(piece_of_call)

    def joined(self, index: int) -> Any:
        if self.odd is not None:
            return self.odd
        whole: dict[str, Any] = {"index": index, "finish_reason": self._finish_reason}
        if not self._is_chat and self._texts:
            return whole | {"text": _joined(self._texts)}
        message = {
            key: pieces if key in _LISTS else _joined(pieces)
            for key, pieces in self._message.items()
        }
        return whole | {"message": message}


def _joined(pieces: list[Any]) -> Any:
    """Join texts to one; parts, where a server streams parts, to one list of them."""
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(pieces)
    parts: list[Any] = []
    for piece in pieces:
        if isinstance(piece, list):
            parts.extend(piece)
        else:
            parts.append(piece)
    return parts
