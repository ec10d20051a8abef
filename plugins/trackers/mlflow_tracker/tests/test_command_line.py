"""What the user of the command line is told of the tracker before the first request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmeval_core.cli import main

RUN = ("-m", "echo/a", "-d", "jsonl:d.jsonl", "--metric", "exact_match", "--tracker", "mlflow")


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLMEVAL_HOME", raising=False)
    rows = [{"input": "a", "output": "a"}, {"input": "b", "output": "x"}]
    Path("d.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return tmp_path


def exit_code(*args: str) -> object:
    with pytest.raises(SystemExit) as stopped:
        main(args)
    return stopped.value.code


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize(
    ("address", "cure"),
    [
        ("localhost:5000", "write http://localhost:5000"),
        ("127.0.0.1:5000", "write http://127.0.0.1:5000"),
        ("sqlite:mlflow.db", "write sqlite:///mlflow.db"),
        ("file:./mlruns", "use sqlite:///mlflow.db"),
        ("http://127.0.0.1:5000/#/experiments/1", "write http://127.0.0.1:5000"),
    ],
)
def test_an_address_that_can_be_none_ends_it_before_the_first_request(
    command: str,
    address: str,
    cure: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """h5-impossible-tracking-uri."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)

    code = exit_code(command, *RUN)

    told = capsys.readouterr().err
    assert code == 2
    assert "  where: environment, MLFLOW_TRACKING_URI\n" in told
    assert cure in told
    assert [path.name for path in Path().iterdir()] == ["d.jsonl"]


def test_spaces_around_an_address_are_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """h5-impossible-tracking-uri."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", " http://127.0.0.1:5000 ")

    assert exit_code("plan", *RUN) == 0
    assert capsys.readouterr().err == ""


def test_a_plan_says_what_is_not_heeded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "theirs")

    code = exit_code("plan", *RUN, "--json")

    (note,) = json.loads(capsys.readouterr().out)["notes"]
    assert code == 0
    assert note.startswith("tracker 'mlflow': MLFLOW_EXPERIMENT_NAME is not heeded: ")


def test_nothing_is_copied_to_an_address_that_can_be_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """h5-impossible-tracking-uri."""
    exit_code("run", "-q", *RUN[:-2])
    capsys.readouterr()

    code = exit_code("trackers", "copy", "mlflow:localhost:5000")

    assert code == 2
    assert capsys.readouterr().err == (
        "error: the tracking URI 'localhost:5000' has no scheme\n"
        "  where: mlflow:localhost:5000\n"
        "  try:   write http://localhost:5000, or https://\n"
    )
