"""A loopback server that answers like OpenAI's and remembers what it was asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.integration.task_server import TaskServer


class CountingServer:
    """Answers each question with itself, after a moment; counts every question.

    Attributes:
        asked: how often each question came.
        n_messages: how often so many messages came in a request.
        came_at: when each question came last, on the monotonic clock, seconds.
        answering: while it is cleared, requests wait for their answers.
        latency_s: how long an answer takes, seconds.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.n_messages: Counter[int] = Counter()
        self.came_at: dict[str, float] = {}
        self.latency_s = 0.02
        self.answering = threading.Event()
        self.answering.set()
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                question = body["messages"][-1]["content"]
                with outer._lock:
                    outer.asked[question] += 1
                    outer.came_at[question] = time.monotonic()
                    outer.n_messages[len(body["messages"])] += 1
                outer.answering.wait(30)
                time.sleep(outer.latency_s)
                message = {"role": "assistant", "content": question}
                answer = {"choices": [{"message": message, "finish_reason": "stop"}]}
                content = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *arguments: Any) -> None:
                """Say nothing: clients are killed here on purpose; Any: the base class's."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def wait_for(self, n: int) -> None:
        """Return when at least so many requests have come in all."""
        deadline = time.monotonic() + 30
        while self.asked.total() < n:
            assert time.monotonic() < deadline, "the run sends no requests"
            time.sleep(0.002)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[CountingServer]:
    """Serve while a test runs."""
    serving = CountingServer()
    yield serving
    serving.close()


@pytest.fixture
def task_server() -> Iterator[TaskServer]:
    """Serve while a test runs."""
    serving = TaskServer()
    yield serving
    serving.close()


class Project:
    """A folder with a run file of `n` samples for the counting server."""

    def __init__(self, folder: Path, url: str, n: int) -> None:
        self.folder = folder
        self.n = n
        rows = [{"input": f"question {i}", "output": f"question {i % 7 and i}"} for i in range(n)]
        lines = "\n".join(json.dumps(row) for row in rows)
        (folder / "data.jsonl").write_text(lines + "\n", encoding="utf-8")
        (folder / "eval.yaml").write_text(
            f"models: [{{name: mine/m, provider: openai_compatible, base_url: '{url}'}}]\n"
            "tasks: [{dataset: 'jsonl:data.jsonl', metrics: [exact_match]}]\n"
            "concurrency: 8\n",
            encoding="utf-8",
        )

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start `llmeval run` here."""
        environ = {**os.environ, "LLMEVAL_STRICT_PLUGINS": "1"}
        return subprocess.Popen(
            [sys.executable, "-c", "from llmeval_core.cli import main; main()", "run",
             "eval.yaml", "--json", *options],
            cwd=self.folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def finish(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """Wait for a run that ends well, and return what it printed; Any: JSON."""
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, out + err
        printed: dict[str, Any] = json.loads(out)
        return printed


@pytest.fixture
def project(tmp_path: Path, server: CountingServer) -> Project:
    """Make a project with 300 samples."""
    return Project(tmp_path, server.url, 300)
