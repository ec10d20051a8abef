"""The events of a streamed answer of the Responses API: the last one has all of it."""

from __future__ import annotations

from typing import Any

from llmeval_models.http.embedded_error_search import embedded_error_in

_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})


class ResponseEvents:
    """Waits for the event that has the whole answer; pieces before it are passed over."""

    def __init__(self) -> None:
        self.is_over = False
        self._has_begun = False
        self._answer: dict[str, Any] = {}

    @property
    def is_whole(self) -> bool:
        """Whether the whole answer came."""
        return bool(self._answer)

    @property
    def state(self) -> str:
        """How far it came, for people."""
        return "before the answer ended" if self._has_begun else "before the answer began"

    def add(self, event: dict[str, Any]) -> None:
        """Add one event; Any: JSON."""
        self._has_begun = True
        kind = event.get("type")
        if kind == "error" or (kind is None and embedded_error_in(event) is not None):
            self.fail(event)
        elif isinstance(kind, str) and kind in _LAST:
            answer = event.get("response")
            self._answer = answer if isinstance(answer, dict) and answer else {"response": answer}
            self.is_over = True

    def end(self) -> None:
        """Note that the server said `[DONE]`."""
        self.is_over = True

    def fail(self, error: Any) -> None:
        """Take an error that came as an event; Any: JSON, or a text."""
        told = error.get("error", error) if isinstance(error, dict) else error
        self._answer = {"error": told or "no reason given"}
        self.is_over = True

    def joined(self) -> dict[str, Any]:
        """Give the answer as if it had come at once; Any: JSON."""
        return self._answer
