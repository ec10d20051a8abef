"""The chunks of streamGenerateContent, and the answer that they make."""

from __future__ import annotations

from typing import Any

from llmeval_models.http.embedded_error_search import as_error_answer, embedded_error_in

_MOST_CANDIDATES = 1000


class ContentChunks:
    """Collects the chunks of one answer; it is whole if each candidate has a finish reason."""

    def __init__(self) -> None:
        self.is_over = False
        self._candidates: dict[int, dict[str, Any]] = {}
        self._more: dict[str, Any] = {}
        self._error: dict[str, Any] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the answer."""
        if self.is_over:
            return True
        candidates = self._candidates.values()
        return bool(candidates) and all(one.get("finishReason") for one in candidates)

    @property
    def state(self) -> str:
        """How far it came, for people."""
        return "before the answer ended" if self._candidates else "before the answer began"

    def add(self, event: dict[str, Any]) -> None:
        """Add one chunk; an error in it, or a blocked prompt, ends the answer. Any: JSON."""
        if embedded_error_in(event) is not None:
            self._error, self.is_over = event, True
            return
        for key in ("usageMetadata", "modelVersion"):
            if event.get(key) is not None:
                self._more[key] = event[key]
        candidates = event.get("candidates")
        for place, piece in enumerate(candidates if isinstance(candidates, list) else ()):
            index = piece.get("index") if isinstance(piece, dict) else None
            if type(index) is not int or not 0 <= index < _MOST_CANDIDATES:
                index = place
            self._add_piece(self._candidates.setdefault(index, {"index": index}), piece)

    def end(self) -> None:
        """Note that the server said `[DONE]`, as gateways do."""
        self.is_over = True

    def fail(self, error: Any) -> None:
        """Take an error that came as an event; Any: JSON, or a text."""
        self._error = as_error_answer(error)
        self.is_over = True

    def joined(self) -> dict[str, Any]:
        """Give the answer as if it had come at once; Any: JSON."""
        if self._error is not None:
            return self._error
        return {**self._more, "candidates": [one for _, one in sorted(self._candidates.items())]}

    def _add_piece(self, candidate: dict[str, Any], piece: Any) -> None:
        """Add what a chunk says of one candidate; what is odd becomes a part that is none."""
        content = piece.get("content") if isinstance(piece, dict) else [piece]
        if isinstance(piece, dict) and piece.get("finishReason") is not None:
            candidate["finishReason"] = piece["finishReason"]
        if content is None:
            return
        parts = content.get("parts") if isinstance(content, dict) else [content]
        if parts is not None:
            there = candidate.setdefault("content", {"parts": []})
            there["parts"] += parts if isinstance(parts, list) else [[parts]]
