"""The server behind nginx at a sub-path, with the configuration that the docs recommend."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest

from tests.papers import ROOT

HOST = "llmeval.example"
TOKEN = "a-token-of-the-test"
PATIENCE_S = 120
CONFIG = ROOT / "docker" / "nginx.conf"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Site:
    """What a visitor reaches: nginx, by the server's public name."""

    port: int

    @contextmanager
    def asking(
        self, path: str, method: str, body: bytes | None, headers: dict[str, str]
    ) -> Iterator[HTTPResponse]:
        """Send one request, and give the answer as it comes."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            named = {"Host": HOST, "Authorization": f"Bearer {TOKEN}", **named}
            named = {name: value for name, value in named.items() if value}
            connection.request(method, path, body, named)
            with connection.getresponse() as answer:
                yield answer

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> Answer:
        """Send one request; `headers` with `_` for `-`, empty to leave one out."""
        with self.asking(path, method, body, headers) as answer:
            return Answer(answer.status, answer.headers, answer.read())

    def post(self, path: str, content: dict[str, Any], **headers: str) -> Answer:
        """Send JSON."""
        body = json.dumps(content).encode()
        return self.ask(path, method="POST", body=body, Content_Type="application/json", **headers)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start a server, and nginx in front of it."""
    folder = tmp_path_factory.mktemp("nginx")
    server = subprocess.Popen(
        [sys.executable, "-P", "-c", "from llmeval_core.cli import main; main()", "serve"],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if "MLFLOW" not in name},
            "LLMEVAL_PORT": "0",
            "LLMEVAL_TOKEN": TOKEN,
            "LLMEVAL_ROOT_PATH": "/llmeval",
            "LLMEVAL_ALLOWED_HOSTS": HOST,
            "LLMEVAL_TRUSTED_PROXIES": "127.0.0.1",
            "LLMEVAL_CACHE": str(folder / "cache"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    greeting = server.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/llmeval/", greeting)
    assert found, greeting
    try:
        with nginx(folder, int(found[1])) as port:
            yield Site(port)
    finally:
        server.terminate()
        server.wait(PATIENCE_S)
        server.stdout.close()


class nginx:  # noqa: N801  used like a function
    """An nginx with our configuration, its ports replaced."""

    def __init__(self, folder: Path, server_port: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        ours = CONFIG.read_text(encoding="utf-8")
        ours = ours.replace("127.0.0.1:8001", f"127.0.0.1:{server_port}")
        ours = ours.replace("listen 80;", f"listen 127.0.0.1:{self._port};")
        (folder / "ours.conf").write_text(ours, encoding="utf-8")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
        self._config = folder / "nginx.conf"
        self._config.write_text(
            f"pid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\ndaemon off;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{paths}include {folder}/ours.conf;\n}}\n",
            encoding="utf-8",
        )

    def __enter__(self) -> int:
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "nginx is not installed"
        self._process = subprocess.Popen([program, "-c", self._config])
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
            except OSError:
                assert self._process.poll() is None
                assert time.monotonic() < deadline
            else:
                return self._port

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)


def test_links_of_the_pages_stay_below_the_sub_path(site: Site) -> None:
    answer = site.ask("/llmeval/", Accept="text/html")
    page = answer.body.decode()

    links = set(re.findall(r'(?:href|src|action)="([^"#]+)', page))

    assert answer.status == 200
    assert len(links) > 5
    for link in links:
        path = urljoin("/llmeval/", link)
        assert path.startswith("/llmeval/"), link
        if "logout" not in path and "lang=" not in path and "mlflow" not in path:
            assert site.ask(path, Accept="text/html").status == 200, link


def test_a_visitor_logs_in_and_comes_back_to_where_they_were_going(site: Site) -> None:
    turned_away = site.ask("/llmeval/leaderboard", Accept="text/html", Authorization="")
    login = turned_away.headers["Location"]
    form = urlencode({"token": TOKEN, "next": "/leaderboard"}).encode()

    answer = site.ask(
        "/llmeval/login",
        method="POST",
        body=form,
        Authorization="",
        Origin=f"http://{HOST}",
        Content_Type="application/x-www-form-urlencoded",
    )

    assert urljoin("/llmeval/leaderboard", login).startswith("/llmeval/login?next=")
    assert answer.status == 303
    assert urljoin("/llmeval/login", answer.headers["Location"]) == "/llmeval/leaderboard"
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    page = site.ask("/llmeval/leaderboard", Accept="text/html", Authorization="", Cookie=cookie)
    assert page.status == 200


def test_a_page_of_somebody_else_changes_nothing(site: Site) -> None:
    run = {"run": {"models": ["echo/x"], "tasks": [{"dataset": "jsonl:x.jsonl"}]}}

    foreign = site.post("/llmeval/api/v1/jobs", run, Origin="http://evil.example")
    ours = site.post("/llmeval/api/v1/jobs", run, Origin=f"http://{HOST}")

    assert foreign.status == 403
    assert ours.status != 403


def test_events_arrive_while_the_job_runs(site: Site, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.getbasetemp() / "nginx0"
    (folder / "many.jsonl").write_text('{"input": "a", "references": ["a"]}\n' * 500)
    run = {
        "models": [{"name": "echo/slow", "latency_s": 0.05}],
        "tasks": [{"dataset": "jsonl:many.jsonl", "metrics": ["exact_match"]}],
        "concurrency": 1,
    }
    job = json.loads(site.post("/llmeval/api/v1/jobs", {"run": run}).body)

    path = f"/llmeval/api/v1/jobs/{job['id']}"
    with site.asking(f"{path}/events", "GET", None, {}) as events:
        first = events.readline()
    state = json.loads(site.ask(path).body)["state"]
    site.post(f"{path}/cancel", {})

    assert first
    assert state in ("queued", "running")


def test_large_artifacts_go_up_and_down_with_their_names(site: Site) -> None:
    path = "/llmeval/proxy-mlflow/api/2.0/mlflow-artifacts/artifacts/9/%E6%97%A5%20a%2Bb.bin"
    content = os.urandom(1_000_000) * 50
    deadline = time.monotonic() + PATIENCE_S
    while site.ask("/llmeval/proxy-mlflow/version").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)

    up = site.ask(path, method="PUT", body=content)
    down = site.ask(path)

    assert up.status == 200
    assert down.status == 200
    assert hashlib.sha256(content).digest() == hashlib.sha256(down.body).digest()
