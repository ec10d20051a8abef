"""Real plugins and a real server: what is not an answer is told, a thought is never judged."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.cli.group import main

DATA = Path(__file__).parents[1] / "data" / "reasoning"
_TOOL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
QUIRKS: dict[str, tuple[dict[str, Any], str]] = {
    "reasoning_only": ({"content": None, "reasoning_content": "hm ... " * 5}, "length"),
    "length": ({"content": "The capital of France is the city"}, "length"),
    "filter": ({"content": ""}, "content_filter"),
    "refusal": ({"content": None, "refusal": "I can't help with that."}, "stop"),
    "toolcall": ({"content": None, "tool_calls": [_TOOL]}, "tool_calls"),
    "think": ({"content": "It might be London. Hmm.\n</think>\n\nParis"}, "stop"),
    "thinkopen": ({"content": "<think>It might be Paris or London or"}, "length"),
    "reasoning_ok": ({"content": "Paris", "reasoning_content": "It could be London"}, "stop"),
}
"""By the path's first part, the message and the finish reason."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        message, reason = QUIRKS[self.path.split("/")[1]]
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
        usage = {"prompt_tokens": 5, "completion_tokens": 2}
        body = json.dumps({"model": "m", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


Llmeval = Callable[..., str]


@pytest.fixture
def llmeval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Llmeval:
    """Give the command line with the plugins that are installed; it returns what it printed."""
    shutil.copytree(DATA, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("LLMEVAL_HOME", raising=False)

    def run(*args: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main(args)
        return capsys.readouterr().out

    return run


def run_file(models: list[object], task: dict[str, object]) -> None:
    Path("eval.yaml").write_text(json.dumps({"models": models, "tasks": [task]}), "utf-8")


def test_a01_thinking_tags(llmeval: Llmeval) -> None:
    run_file(["echo/any"], {"dataset": "jsonl:a.jsonl"})

    found = json.loads(llmeval("run", "eval.yaml", "--json"))

    assert found["results"][0]["metrics"][0]["aggregate"]["value"] == 1.0
    assert found["results"][0]["outcomes"] == {"answered": 10}


def test_a01_thinking_tags_no_letter_is_read_from_a_thought(llmeval: Llmeval) -> None:
    data = {"use": "jsonl", "path": "c.jsonl", "choices": "choices", "answer": "answer"}
    prompt = {"template": "{{ input }}"}
    run_file(["echo/any"], {"dataset": data, "answer_by": "letter", "prompt": prompt})

    llmeval("run", "eval.yaml", "--quiet")
    shown = llmeval("samples", "c_0shot", "--json")

    (done, still_thinking) = [json.loads(line) for line in shown.splitlines()]
    assert done["scores"]["choice_accuracy"] == {"value": 1.0, "parsed": "C"}
    assert still_thinking["scores"]["choice_accuracy"]["parsed"] is None
    assert still_thinking["outcome"] == "empty"


@pytest.mark.parametrize(
    ("quirk", "outcome", "value"),
    [
        ("reasoning_only", "truncated", 0.0),
        ("length", "truncated", 0.0),
        ("thinkopen", "truncated", 0.0),
        ("filter", "filtered", 0.0),
        ("refusal", "refused", 0.0),
        ("toolcall", "empty", 0.0),
        ("think", "answered", 1.0),
        ("reasoning_ok", "answered", 1.0),
    ],
)
def test_s06_cut_off_answers_are_silent(
    address: str, llmeval: Llmeval, quirk: str, outcome: str, value: float
) -> None:
    Path("my.jsonl").write_text(
        "".join(
            json.dumps({"input": f"Capital of France? {n}", "references": "Paris"}) + "\n"
            for n in range(3)
        ),
        "utf-8",
    )
    model = {
        "name": "x/m",
        "provider": "openai_compatible",
        "base_url": f"{address}/{quirk}/v1",
    }
    run_file([model], {"dataset": "jsonl:my.jsonl", "metrics": ["exact_match"]})

    told = llmeval("run", "eval.yaml", "--quiet")
    (cell,) = json.loads(llmeval("results", "--json"))

    assert cell["outcomes"] == {outcome: 3}
    assert cell["aggregate"]["value"] == value
    assert ("WARNING: my_0shot: 3 of 3 answers were cut off" in told) == (outcome == "truncated")
    assert ("3 " in told and outcome in told) or outcome in ("answered", "truncated")
    if quirk == "refusal":
        assert "refused   I can't help with that." in llmeval("samples", "my_0shot")
