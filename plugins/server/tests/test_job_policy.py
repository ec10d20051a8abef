"""What a job may name: files, addresses and variables; and that no secret stands in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import importlib_metadata
import pytest
from llmeval_server.job_errors import ForbiddenError
from llmeval_server.jobs.job_policy import JobPolicy
from llmeval_server.server_settings import ServerSettings

from llmeval_core.api import (
    Journal,
    Origin,
    Plan,
    RunConfig,
    Session,
    make_plan,
    make_session,
    preview,
)
from llmeval_core.hooks import ENTRY_POINT_GROUP, LlmevalError

DATASET = {"use": "jsonl", "path": "sums.jsonl"}


@pytest.fixture
def folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a data folder with traps in it, and work beside it."""
    outside = data.parent / "outside"
    outside.mkdir()
    (outside / "secret.jsonl").write_text("{}")
    (data / "link.jsonl").symlink_to(outside / "secret.jsonl")
    (data / "linked").symlink_to(outside)
    (data / "inner").symlink_to(data)
    (data / ".env").write_text("KEY=1")
    (data / "home").mkdir()
    (data / "home" / "journal.sqlite").touch()
    monkeypatch.chdir(outside)
    return data


def confined(session: Session, folder: Path, run: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Confine a run file and return it as JSON; Any: JSON, and settings of the server."""
    settings = ServerSettings(home=folder / "home", data_folders=(folder,), **more)
    config = RunConfig.model_validate(run)
    found = JobPolicy(settings, session.catalog).apply(config, Origin())
    return found.model_dump(mode="json", exclude_unset=True)


def run(model: Any = "echo/a", dataset: Any = DATASET, **more: Any) -> dict[str, Any]:
    return {"models": [model], "tasks": [{"dataset": dataset}], **more}


def forbidden(session: Session, folder: Path, wanted: dict[str, Any], **more: Any) -> str:
    with pytest.raises(ForbiddenError) as caught:
        confined(session, folder, wanted, **more)
    return str(caught.value)


# --- files


@pytest.mark.parametrize("path", ["sums.jsonl", "./sums.jsonl", "inner/sums.jsonl"])
def test_a_file_in_a_data_folder_may_be_named(session: Session, folder: Path, path: str) -> None:
    real = str(folder.resolve() / "sums.jsonl")

    settings = confined(session, folder, run(dataset={"use": "jsonl", "path": path}))
    argument = confined(session, folder, run(dataset=f"jsonl:{path}"))
    absolute = confined(session, folder, run(dataset=f"jsonl:{folder}/sums.jsonl"))

    assert settings["tasks"][0]["dataset"] == {"use": "jsonl", "path": real}
    assert argument["tasks"][0]["dataset"] == {"use": f"jsonl:{real}"}
    assert absolute == argument


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../outside/secret.jsonl",
        "inner/../../outside/secret.jsonl",
        "link.jsonl",
        "linked/secret.jsonl",
        "secret.jsonl/../../outside/secret.jsonl",
        "/proc/self/environ",
        "~/x.jsonl",
        "$HOME/x.jsonl",
        ".env",
        "inner/.env",
        "home/journal.sqlite",
        "a\0b",
        "/dev/zero",
    ],
)
def test_a_file_elsewhere_may_not(session: Session, folder: Path, path: str) -> None:
    for dataset in (
        f"jsonl:{path}",
        {"use": "csv", "path": path},
        {"use": "packaged", "path": path},
        {"use": "llm_jp_eval", "path": path},
        {"use": "huggingface", "path": path},
        {"use": "jsonl", "path": "sums.jsonl", "few_shot_file": path},
    ):
        message = forbidden(session, folder, run(dataset=dataset))
        assert message.startswith(f"a job may not name '{path}'\n  where: tasks[0].dataset.")
    forbidden(session, folder, run(model={"name": "llamacpp/x", "path": path}))


def test_a_pattern_or_a_folder_within_a_data_folder_may_be_named(
    session: Session, folder: Path
) -> None:
    shards = folder / "shards"
    shards.mkdir()
    (shards / "a-0.jsonl").write_text("{}")

    by_pattern = confined(session, folder, run(dataset="jsonl:shards/a-*.jsonl"))
    by_folder = confined(session, folder, run(dataset="jsonl:shards"))

    real = folder.resolve() / "shards"
    assert by_pattern["tasks"][0]["dataset"] == {"use": f"jsonl:{real}/a-*.jsonl"}
    assert by_folder["tasks"][0]["dataset"] == {"use": f"jsonl:{real}"}


@pytest.mark.parametrize(
    "pattern", ["*.jsonl", "*/secret.jsonl", "**/*.jsonl", "h*/journal.sqlite", "[l]inked/*", "."]
)
def test_a_pattern_or_a_folder_that_leads_out_of_a_data_folder_may_not(
    session: Session, folder: Path, pattern: str
) -> None:
    message = forbidden(session, folder, run(dataset={"use": "csv", "path": pattern}))

    assert message.startswith(f"a job may not name '{pattern}'\n")


def test_a_file_of_the_working_directory_is_not_taken_for_one_of_the_folder(
    session: Session, folder: Path
) -> None:
    assert Path("secret.jsonl").exists()

    found = confined(session, folder, run(dataset="jsonl:secret.jsonl"))

    assert found["tasks"][0]["dataset"]["use"] == f"jsonl:{folder.resolve()}/secret.jsonl"


def test_a_data_set_of_the_hub_may_be_named_but_no_folder_beside_us(
    session: Session, folder: Path
) -> None:
    os.makedirs("org/local")

    hub = confined(session, folder, run(dataset="huggingface:org/name"))
    beside = forbidden(session, folder, run(dataset="huggingface:org/local"))

    assert hub["tasks"][0]["dataset"] == {"use": "huggingface:org/name"}
    assert "a job may not name 'org/local'" in beside
    for name in ("hf://org/name", "https://evil.com/x", "a/b/c", "-x/../y"):
        forbidden(session, folder, run(dataset=f"huggingface:{name}"))


def test_rubrics_and_labels_of_judges_are_files_like_data(session: Session, folder: Path) -> None:
    (folder / "ours.yaml").touch()
    named: Any = {"use": "judge", "rubric": "ours.yaml"}
    labels: Any = {"use": "judge", "number": "corrected", "labels": "../outside/secret.jsonl"}
    check = {"task": {"use": "judge_check", "labels": "/etc/passwd"}}

    found = confined(session, folder, run(metrics=[named, "judge:correctness"]))

    assert found["metrics"][0]["rubric"] == str(folder.resolve() / "ours.yaml")
    assert found["metrics"][1] == {"use": "judge:correctness"}
    for metric in ("judge:/etc/ours.yaml", "judge_pairwise:/etc/passwd", labels):
        assert "a job may not name" in forbidden(session, folder, run(metrics=[metric]))
    assert "a job may not name" in forbidden(session, folder, {**run(), "tasks": [check]})


def test_no_job_chooses_what_a_tracker_writes(session: Session, folder: Path) -> None:
    for tracker in ("jsonl:sums.jsonl", {"use": "jsonl", "path": "new.jsonl"}):
        message = forbidden(session, folder, run(trackers=[tracker]))
        assert message.startswith("a job may not choose the 'path' of what it uses to write")
    assert confined(session, folder, run(trackers=["jsonl"]))["trackers"] == [{"use": "jsonl"}]


# --- addresses


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("http://localhost:8000/v1", True),  # the plugin's own default
        ("http://gpu1:8000/v1", True),
        ("http://gpu1:8000/v1/", True),
        ("http://gpu1:8000/v1/sub", True),
        ("http://GPU1:8000/v1", True),
        ("https://api.example.com", True),
        ("https://api.example.com:443/any", True),
        ("http://gpu1:8000", False),
        ("http://gpu1:8000/v12", False),
        ("http://gpu1:8000/v1/../admin", False),
        ("http://gpu1:8000/v1/%2e%2e/admin", False),
        ("http://gpu1:8000/v1\\..\\admin", False),
        ("http://gpu1:8001/v1", False),
        ("https://gpu1:8000/v1", False),
        ("http://gpu1:8000@evil.com/v1", False),
        ("http://user:pw@gpu1:8000/v1", False),
        ("http://gpu1:8000/v1?x=y", False),
        ("http://gpu1:8000/v1#x", False),
        ("http://gpu1:8000 /v1", False),
        ("http://gpu1:8000\t/v1", False),
        ("http://gpu1.evil.com:8000/v1", False),
        ("http://169.254.169.254/latest/meta-data", False),
        ("http://[::ffff:169.254.169.254]/", False),
        ("http://2852039166/", False),
        ("http://localhost:5000/", False),
        ("http:///v1", False),
        ("http://gpu1:99999/v1", False),
        ("file:///etc/passwd", False),
        ("gopher://gpu1:8000/v1", False),
        ("//gpu1:8000/v1", False),
    ],
)
def test_only_allowed_addresses_are_asked(
    session: Session, folder: Path, url: str, *, is_allowed: bool
) -> None:
    allowed = ("http://gpu1:8000/v1", "https://api.example.com")
    wanted = run(model={"name": "vllm/x", "base_url": url})

    if is_allowed:
        found = confined(session, folder, wanted, model_urls=allowed)
        assert found["models"] == wanted["models"]
    else:
        message = forbidden(session, folder, wanted, model_urls=allowed)
        assert "a job may not name the address" in message
        assert "where: models[0].base_url" in message
        assert "pw@" not in message


def test_addresses_are_found_wherever_they_stand(session: Session, folder: Path) -> None:
    for wanted in (
        run(trackers=[{"use": "mlflow", "tracking_uri": "http://evil.com"}]),
        run(trackers=[{"use": "mlflow", "tracking_uri": "sqlite:////etc/x.db"}]),
        run(trackers=[{"use": "mlflow", "tracking_uri": "mlruns"}]),
        run(model={"name": "vllm/x", "extra_body": {"a": [{"image_url": "file:///x"}]}}),
        run(model={"name": "vllm/x", "extra_body": {"note": "see http://evil.com"}}),
        run(model={"name": "openai/x", "base_url": "http://localhost:8000/v1"}),
    ):
        forbidden(session, folder, wanted)
    uri = "sqlite:////srv/mlflow.db"
    own = run(trackers=[{"use": "mlflow", "tracking_uri": uri}])
    assert confined(session, folder, own, model_urls=(uri,)) is not None
    forbidden(session, folder, own, model_urls=("sqlite:////srv",))


def test_a_model_cannot_choose_its_provider_behind_our_back(session: Session, folder: Path) -> None:
    wanted = run(model={"name": "echo/a", "use": "llamacpp", "path": "/etc/passwd"})

    with pytest.raises(LlmevalError, match="unknown key 'use'"):
        confined(session, folder, wanted)


# --- variables and secrets


def test_allowed_variables_may_stand_where_secrets_are_wanted(
    session: Session, folder: Path
) -> None:
    for model in (
        {"name": "openai/x", "api_key": "${OPENAI_API_KEY}"},
        {"name": "vllm/x", "headers": {"Authorization": "Bearer ${MINE}"}},
        {"name": "vllm/x", "api_key": "${MINE}"},
    ):
        assert confined(session, folder, run(model=model), job_variables=("MINE",)) is not None


@pytest.mark.parametrize(
    ("model", "what"),
    [
        ({"name": "openai/x", "api_key": "sk-123456"}, "a secret stands in the run file"),
        ({"name": "openai/x", "api_key": "sk-1${MINE}"}, "a secret stands in the run file"),
        ({"name": "openai/x", "api_key": "sk-123 ${MINE}"}, "a secret stands in the run file"),
        ({"name": "vllm/x", "headers": {"X-Key": "abc"}}, "a secret stands in the run file"),
        ({"name": "vllm/x", "extra_body": {"password": "x"}}, "a secret stands in the run file"),
        ({"name": "vllm/x", "extra_body": {"a": [{"token": 12345}]}}, "a secret stands"),
        ({"name": "vllm/x", "api_key": "${AWS_SECRET}"}, "variable AWS_SECRET"),
        ({"name": "vllm/x", "api_key": "${MINE}${HOME}"}, "variable HOME"),
        ({"name": "echo/x", "answer": "${MINE}"}, "may stand only where a secret is wanted"),
        ({"name": "vllm/x", "base_url": "http://${MINE}/v1"}, "may stand only where"),
        ({"name": "vllm/x", "extra_body": {"user": "${MINE}"}}, "may stand only where"),
        ({"name": "llamacpp/x", "path": "${MINE}"}, "may stand only where a secret is wanted"),
    ],
)
def test_secrets_and_other_variables_are_refused(
    session: Session, folder: Path, model: dict[str, Any], what: str
) -> None:
    message = forbidden(session, folder, run(model=model), job_variables=("MINE",))

    assert what in message
    assert "sk-1" not in message


def test_a_variable_in_an_argument_is_found(session: Session, folder: Path) -> None:
    message = forbidden(session, folder, run(dataset="jsonl:${OPENAI_API_KEY}"))

    assert message == (
        "an environment variable may stand only where a secret is wanted\n"
        "  where: tasks[0].dataset.path\n"
        "  try:   write the value itself"
    )


# --- templates


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(input) }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
    ],
)
def test_a_template_of_a_job_gets_at_nothing_but_its_sample(
    session: Session, folder: Path, template: str
) -> None:
    wanted = run(dataset=f"jsonl:{folder}/sums.jsonl", metrics=["exact_match"])
    wanted["tasks"][0]["prompt"] = {"template": template}
    row = {"use": "jsonl", "path": f"{folder}/sums.jsonl", "input": template}

    with Journal(folder / "home") as journal:
        (counted,) = preview(planned(session, wanted), journal)
    with pytest.raises(LlmevalError, match="template"):
        preview(planned(session, run(dataset=row)), None)

    assert counted.n_unusable == counted.n_samples


def planned(session: Session, wanted: dict[str, Any]) -> Plan:
    config = RunConfig.model_validate(wanted)
    return make_plan(config, session.catalog, origin=Origin(), observer=session.host)


# --- code


@pytest.mark.parametrize(
    ("model", "setting"),
    [
        ({"name": "vllm/a", "serve": True, "serve_command": ["sh", "-c", "id"]}, "serve_command"),
        ({"name": "vllm/a", "serve": True, "serve_args": ["--trust-remote-code"]}, "serve_args"),
        ({"name": "transformers/a", "trust_remote_code": True}, "trust_remote_code"),
    ],
)
def test_a_job_does_not_choose_what_the_server_runs(
    session: Session, folder: Path, model: dict[str, Any], setting: str
) -> None:
    plain = {**model, setting: type(model[setting])()}

    for wanted in (run(model), run(roles={"judge": model})):
        assert forbidden(session, folder, wanted).startswith(
            f"a job may not choose what this server runs, and '{setting}' does\n"
        )
    assert confined(session, folder, run(plain))


@pytest.mark.parametrize("weights", ["/etc", "../outside", "~/weights", "linked"])
@pytest.mark.parametrize("provider", ["vllm", "transformers"])
def test_weights_lie_in_a_data_folder_or_have_a_name(
    session: Session, folder: Path, weights: str, provider: str
) -> None:
    started = {"serve": True} if provider == "vllm" else {}
    named = {"name": f"{provider}/org/model", **started, "weights": weights}

    assert "a job may not name" in forbidden(session, folder, run(named))
    assert "a job may not name" in forbidden(
        session, folder, run({"name": f"{provider}/{weights}", **started})
    )
    assert confined(session, folder, run({"name": f"{provider}/org/model", **started}))
    assert confined(session, folder, run({**named, "weights": "org/model"}))


@pytest.fixture(scope="module")
def more_plugins() -> Session:
    """Load plugins that ask and score in ways of their own."""
    wanted = {"datasets", "models", "solvers", "lm_eval_tasks"}
    installed = {point.name for point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP)}
    return make_session(disabled=installed - wanted, environ={})


def test_a_setting_that_is_called_a_command_is_one(more_plugins: Session, folder: Path) -> None:
    solver = {"use": "tool_loop", "tools": [{"use": "theirs", "start_command": "id"}]}
    wanted = {"models": ["echo/a"], "tasks": [{"dataset": DATASET, "solver": solver}]}

    assert "'start_command' does" in forbidden(more_plugins, folder, wanted)


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"tasks": "own.yaml"}, "tasks"),
        ({"tasks": "gsm8k, sub/own.YML ,arc_easy"}, "tasks"),
        ({"tasks": "gsm8k", "include_path": ["."]}, "include_path"),
    ],
)
def test_a_job_brings_no_yaml_for_lm_eval(
    more_plugins: Session, folder: Path, settings: dict[str, Any], setting: str
) -> None:
    wanted = {"models": ["echo/a"], "tasks": [{"task": {"use": "lm_eval", **settings}}]}
    own = {"models": ["echo/a"], "tasks": [{"task": "lm_eval:mmlu,arc_*,yaml_task.v2"}]}

    assert f"'{setting}' does" in forbidden(more_plugins, folder, wanted)
    assert confined(more_plugins, folder, own)
