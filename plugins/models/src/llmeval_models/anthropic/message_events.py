"""The events of a streamed answer of the Messages API, and the answer that they make."""

from __future__ import annotations

from typing import Any

from llmeval_models.http.embedded_error_search import as_error_answer, embedded_error_in

_PIECES = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "signature_delta": "signature",
}
"""Which field of a block each kind of piece continues."""


class MessageEvents:
    """Collects the events of one answer; it is whole after `message_stop`, or a stop reason."""

    def __init__(self) -> None:
        self.is_over = False
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, list[Any]]] = {}
        self._begun: dict[int, Any] = {}
        self._error: dict[str, Any] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the answer."""
        return self.is_over or self._message.get("stop_reason") is not None

    @property
    def state(self) -> str:
        """How far it came, for people."""
        return "before the answer ended" if self._begun else "before the answer began"

    def add(self, event: dict[str, Any]) -> None:
        """Add one event; what is unknown is passed over. Any: JSON."""
        kind = event.get("type")
        if kind == "error" or (kind is None and embedded_error_in(event) is not None):
            self.fail(event)
        elif kind == "message_start":
            self._update(event.get("message"), event.get("message"))
        elif kind == "message_delta":
            self._update(event.get("delta"), event)
        elif kind == "message_stop":
            self.is_over = True
        elif kind == "content_block_start":
            self._begun[self._place(event)] = event.get("content_block")
        elif kind == "content_block_delta" and isinstance(event.get("delta"), dict):
            delta = event["delta"]
            field = _PIECES.get(str(delta.get("type")))
            if field is not None:
                block = self._blocks.setdefault(self._place(event), {})
                block.setdefault(field, []).append(delta.get(field))

    def end(self) -> None:
        """Note that the server said `[DONE]`, as gateways do."""
        self.is_over = True

    def fail(self, error: Any) -> None:
        """Take an error that came as an event; Any: JSON, or a text."""
        self._error = as_error_answer(error, type="error")
        self.is_over = True

    def joined(self) -> dict[str, Any]:
        """Give the answer as if it had come at once; Any: JSON."""
        if self._error is not None:
            return self._error
        if not self._message and not self._begun:
            return {}
        content = [self._block(place) for place in sorted({*self._begun, *self._blocks})]
        return {**self._message, "usage": self._usage, "content": content}

    def _update(self, message: Any, around: Any) -> None:
        """Take what a message, or a change to it, says; counts are totals, so the newest stands."""
        if isinstance(message, dict):
            self._message |= {key: value for key, value in message.items() if value is not None}
        usage = around.get("usage") if isinstance(around, dict) else None
        if isinstance(usage, dict):
            self._usage |= {key: value for key, value in usage.items() if value is not None}

    def _place(self, event: dict[str, Any]) -> int:
        """Tell which block an event is about: by its index, else the newest."""
        index = event.get("index")
        return index if type(index) is int else max(self._begun, default=0)

    def _block(self, place: int) -> Any:
        """Join what a block began with and its pieces; a piece that is no text stays as it is."""
        begun = self._begun.get(place, {})
        if not isinstance(begun, dict):
            return begun
        block = dict(begun)
        for field, pieces in self._blocks.get(place, {}).items():
            all_pieces = [block[field], *pieces] if block.get(field) else pieces
            is_text = all(isinstance(piece, str) for piece in all_pieces)
            block[field] = "".join(all_pieces) if is_text else all_pieces
            block.setdefault("type", "text" if field == "text" else "thinking")
        return block
