"""Where a task's data are, and which state of them it gets."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from llmeval_lm_eval_tasks.data_identity import check_reachable, data_identity
from llmeval_lm_eval_tasks.hub_commits import HubCommits

from llmeval_core.hooks import DatasetError


def test_data_that_are_not_here_are_told_at_once() -> None:
    with pytest.raises(DatasetError) as raised:
        check_reachable(
            {"dataset_path": "org/data"},
            task="mine",
            environ={"HF_HOME": "/nowhere", "HF_ENDPOINT": "http://127.0.0.1:9"},
        )

    assert str(raised.value) == (
        "the data of lm-eval's task 'mine' are not here, and 127.0.0.1 cannot be reached\n"
        "  where: dataset_path: org/data\n"
        "  try:   fetch them once where there is a network, without HF_HUB_OFFLINE and"
        " HF_DATASETS_OFFLINE; or give your own: a YAML file with `include:` of the task's and"
        " `dataset_path: json`"
    )


def test_data_are_told_apart_by_content_or_commit(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    config = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(file)}}}
    refs = tmp_path / "hub" / "datasets--org--data" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text("c0ffee\n", encoding="utf-8")
    file.write_text("[1]", encoding="utf-8")
    commits = HubCommits({"HF_HOME": str(tmp_path)})
    one = data_identity(config, commits)
    file.write_text("[2]", encoding="utf-8")

    assert data_identity(config, commits) != one
    assert data_identity({"dataset_path": "org/data"}, commits) == {"commits": ["c0ffee"]}


def test_before_the_first_download_the_hub_says_which_commit_it_will_be(tmp_path: Path) -> None:
    asked = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(200 if "/org/" in self.path else 404)
            self.end_headers()
            self.wfile.write(b'{"sha": "c0ffee"}')

        def log_message(self, *arguments: object) -> None:
            pass

    hub = HTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,))
    thread.start()
    environ = {
        "HF_HOME": str(tmp_path),
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_address[1]}",
        "HF_TOKEN": "secret",
    }
    commits = HubCommits(environ)

    found = [commits.of("org/data", "main") for _ in range(2)]
    missing = commits.of("other/data", "main")
    hub.shutdown()
    hub.server_close()
    thread.join()

    assert found == [["c0ffee"], ["c0ffee"]]
    assert missing == []
    assert asked == [
        ("/api/datasets/org/data/revision/main", "Bearer secret"),
        ("/api/datasets/other/data/revision/main", "Bearer secret"),
    ]
    assert commits.of("org/more", "main") == commits.of("org/most", "main") == []
    assert HubCommits({**environ, "HF_HUB_OFFLINE": "1"}).of("org/data", "main") == []
