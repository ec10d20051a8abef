"""What W&B's own client heeds is heeded, or named."""

from __future__ import annotations

from pathlib import Path

import pytest
from llmeval_wandb_tracker.settings import WandbSettings
from llmeval_wandb_tracker.tracker import WandbTracker
from llmeval_wandb_tracker.wandb_environment import effective_settings, worker_environment

from llmeval_core.hooks import ConfigError, LlmevalError, TrackerError
from llmeval_core.testing import make_task_result, run_info
from plugins.trackers.wandb_tracker.tests.wandb_files import runs

KEY = "k" * 40


@pytest.fixture(autouse=True)
def nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a user with an empty home, who has set nothing."""
    for name in ("API_KEY", "BASE_URL", "MODE", "DIR", "PROJECT", "ENTITY", "CONFIG_DIR"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)
    home = tmp_path / "me"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.chdir(home)
    return home


def checked(home: Path, **settings: object) -> tuple[str, ...]:
    return WandbTracker(WandbSettings.model_validate(settings)).check(home).notes


@pytest.mark.parametrize(
    ("said", "mode"),
    [
        ("offline", "offline"),
        (" dryrun ", "offline"),
        ("Online", "online"),
        ("run", "online"),
        ("disabled", "disabled"),
        ("", "online"),
    ],
)
def test_the_mode_is_wandbs_own(said: str, mode: str) -> None:
    assert effective_settings(WandbSettings(), {"WANDB_MODE": said}).mode == mode
    assert effective_settings(WandbSettings(mode="offline"), {"WANDB_MODE": said}).mode == "offline"


def test_a_mode_that_there_is_not_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        effective_settings(WandbSettings(), {"WANDB_MODE": "ofline"})

    assert str(caught.value) == (
        "'ofline' is no mode in which this tracker can work\n"
        "  where: WANDB_MODE\n"
        "  try:   known: online, run, offline, dryrun, disabled"
    )


def test_project_entity_and_folder_are_taken_where_the_run_file_says_nothing(
    nothing_known: Path,
) -> None:
    environ = {"WANDB_PROJECT": "p", "WANDB_ENTITY": "e", "WANDB_DIR": "~/w"}

    found = effective_settings(WandbSettings(), environ)
    chosen = effective_settings(WandbSettings(project="mine", directory=Path("d")), environ)

    assert (found.project, found.entity, found.directory) == ("p", "e", nothing_known / "w")
    assert (chosen.project, chosen.entity, chosen.directory) == ("mine", "e", Path("d"))
    assert effective_settings(WandbSettings(), {}).project == "model_evaluation"


def test_what_wandbs_commands_have_written_is_read(nothing_known: Path) -> None:
    for folder, text in (
        (nothing_known / ".config" / "wandb", "[default]\nentity = team\nmode = online\n"),
        (nothing_known / "wandb", "[default]\nmode = offline\nproject = here\n"),
    ):
        folder.mkdir(parents=True)
        (folder / "settings").write_text(text, encoding="utf-8")

    found = effective_settings(WandbSettings(), {})

    assert (found.mode, found.entity, found.project) == ("offline", "team", "here")


async def test_offline_by_variable_sends_nothing_and_writes_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "elsewhere"))
    tracker = WandbTracker(WandbSettings())

    await tracker.open(run_info(tmp_path))
    receipt = await tracker.deliver(make_task_result(id="r1"))
    await tracker.close()

    assert len(runs(tmp_path / "elsewhere")) == 1
    assert receipt.location == str(tmp_path / "elsewhere" / "model_evaluation")
    assert not (tmp_path / "wandb").exists()


async def test_disabled_is_left_out_of_a_run_and_waits_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    tracker = WandbTracker(WandbSettings())

    found = tracker.check(tmp_path)
    with pytest.raises(TrackerError, match="disabled"):
        await tracker.open(run_info(tmp_path))

    assert found.is_disabled
    assert "WANDB_MODE" in found.notes[0]


def test_a_missing_key_is_known_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(TrackerError, match="Weights & Biases has no API key"):
        checked(tmp_path)

    assert checked(tmp_path, mode="offline") == ()


@pytest.mark.parametrize("machine", ["api.wandb.ai", "localhost:8080", "localhost"])
def test_a_login_in_netrc_is_found(
    machine: str, nothing_known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "localhost" in machine:
        monkeypatch.setenv("WANDB_BASE_URL", "http://localhost:8080/")
    file = nothing_known / ".netrc"
    file.write_text(f"machine {machine}\nlogin user\npassword {KEY}\n", encoding="utf-8")
    file.chmod(0o600)

    assert checked(nothing_known) == ()


def test_half_a_key_is_told_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "half-a-key-only")

    with pytest.raises(TrackerError) as caught:
        checked(tmp_path)

    assert "10 characters" in caught.value.what
    assert "only" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://x", "http://a b", "http://x:99999", "x#y"]
)
def test_an_address_that_can_be_none_is_told(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)

    with pytest.raises(ConfigError) as caught:
        checked(tmp_path)

    assert caught.value.where == "WANDB_BASE_URL"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LlmevalError, match="cannot write W&B's files"):
        checked(tmp_path, mode="offline", directory=str(tmp_path / "file"))


def test_variables_that_are_not_heeded_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "mine")

    assert checked(tmp_path, mode="offline") == (
        "WANDB_RUN_ID is not heeded: a model has one run, whose id follows from its name",
    )


def test_wandbs_program_sees_clean_values_and_trusts_what_python_trusts() -> None:
    environ = {
        "WANDB_API_KEY": f" {KEY}\n",
        "WANDB_SERVICE": "x",
        "REQUESTS_CA_BUNDLE": "/ca.pem",
        "NO_PROXY": "localhost",
    }

    found = worker_environment(WandbSettings(), environ)

    assert found["WANDB_API_KEY"] == KEY
    assert found["SSL_CERT_FILE"] == "/ca.pem"
    assert found["NO_PROXY"] == "localhost"
    assert "WANDB_SERVICE" not in found
