"""Server-sent events: the lines of one event, and the answer that streams them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

HEARTBEAT = ": still here\n\n"
HEARTBEAT_S = 15.0
_RETRY_MS = 2000


def event(name: str, data: str, *, event_id: str) -> str:
    """Write one event; `data` is JSON, which has no line ends."""
    return f"id: {event_id}\nevent: {name}\ndata: {data}\n\n"


def event_stream(events: AsyncIterator[str]) -> StreamingResponse:
    """Stream events; proxies are asked not to hold them back."""

    async def with_retry() -> AsyncIterator[str]:
        yield f"retry: {_RETRY_MS}\n\n"
        async for text in events:
            yield text

    return StreamingResponse(
        with_retry(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
