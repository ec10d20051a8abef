"""What a busy server asks for is found behind the error that MLflow's client raises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker

from llmeval_core.hooks import TrackerError
from llmeval_core.testing import run_info


@contextmanager
def busy_server(retry_after: str | None) -> Iterator[str]:
    class AlwaysBusyHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(429)
            if retry_after is not None:
                self.send_header("Retry-After", retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), AlwaysBusyHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def refused_by(url: str, home: Path) -> TrackerError:
    tracker = MlflowTracker(MlflowSettings(tracking_uri=url, timeout_s=5))
    with pytest.raises(TrackerError) as caught:
        await tracker.open(run_info(home))
    await tracker.close()
    return caught.value


async def test_seconds_are_understood_and_said(tmp_path: Path) -> None:
    with busy_server("120") as url:
        refused = await refused_by(url, tmp_path)

    assert refused.retry_after_s == 120
    assert refused.what == f"MLflow at {url} cannot take requests now (429, and asks to wait 120 s)"


def in_a_minute() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        (in_a_minute, lambda pause_s: 50 < pause_s <= 60),
        (lambda: "soon", lambda pause_s: pause_s is None),
        (lambda: None, lambda pause_s: pause_s is None),
    ],
)
async def test_a_date_is_understood_and_nonsense_is_not(
    tmp_path: Path, header: Callable[[], str | None], fits: Callable[[float | None], bool]
) -> None:
    with busy_server(header()) as url:
        refused = await refused_by(url, tmp_path)

    assert fits(refused.retry_after_s)
