"""The containers' files are right, as far as can be seen without an engine."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmeval_server.server_settings import ServerSettings

from tests.papers import ROOT

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "docker" / "Dockerfile"
EXAMPLE = ROOT / ".env.example"
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
_NOT_IN_1_29 = {"develop", "configs", "models", "provider", "pull_policy", "attach", "gpus"}
_OF_THE_PROXY = {"LLMEVAL_MLFLOW_ARTIFACT_ROOTS", "LLMEVAL_ALLOWED_ORIGINS", "LLMEVAL_PROXIES"}


def checked_by(tool: str, *words: str | Path) -> tuple[int, str]:
    """Run a tool that lies beside this Python."""
    done = subprocess.run(
        [Path(sys.executable).parent / tool, *words],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout


def test_the_compose_file_follows_the_specification() -> None:
    code, said = checked_by(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)
    )

    assert code == 0, said


def test_the_dockerfile_passes_hadolint() -> None:
    code, said = checked_by("hadolint", DOCKERFILE)

    assert (code, said) == (0, "")


def test_compose_1_29_knows_everything_in_the_file() -> None:
    whole = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))

    assert {"services", "volumes"} == {key for key in whole if not key.startswith("x-")}
    for service in SERVICES.values():
        assert not _NOT_IN_1_29 & set(service)
        assert "start_interval" not in service["healthcheck"]
        for dependency in service.get("depends_on", {}).values():
            assert {"condition"} == set(dependency)
        assert set(service.get("build", {})) <= {"context", "dockerfile", "target", "args"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service["healthcheck"]["test"]


def test_images_do_not_run_as_root() -> None:
    stages = re.split(r"(?m)^FROM ", DOCKERFILE.read_text(encoding="utf-8"))

    for stage in stages:
        if stage.startswith(("python AS mlflow", "mlflow AS llmeval")):
            assert re.findall(r"(?m)^USER (.+)$", stage)[-1] == "10001:10001"
    assert SERVICES["postgres"]["user"] == "postgres"


def test_only_this_machine_can_reach_the_server_unless_told_otherwise() -> None:
    published = {name: service.get("ports") for name, service in SERVICES.items()}

    assert published.pop("api") == ["${LLMEVAL_PUBLISH:-127.0.0.1}:${LLMEVAL_PORT:-8001}:8001"]
    assert {None} == set(published.values())


def test_no_secret_has_a_value_in_the_files() -> None:
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if re.search("TOKEN|KEY|PASSWORD|JOBS_URL", name):
                assert value is None, name
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        assert not re.match(r"#?\w*(TOKEN|KEY|PASSWORD)=.", line), line


def test_mlflow_accepts_the_name_by_which_it_is_called() -> None:
    address = SERVICES["api"]["environment"]["MLFLOW_TRACKING_URI"].removeprefix("http://")
    mlflow = SERVICES["mlflow"]

    assert address in mlflow["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert f"http://{address}/api/" in mlflow["healthcheck"]["test"][-1]


def test_containers_are_told_only_what_the_server_knows() -> None:
    known = {f"LLMEVAL_{name.upper()}" for name in ServerSettings.model_fields} | _OF_THE_PROXY

    told = {
        name
        for service in ("api", "worker")
        for name in SERVICES[service]["environment"]
        if name.startswith("LLMEVAL_")
    }

    assert told <= known


def test_each_variable_of_the_example_has_an_effect() -> None:
    compose = COMPOSE.read_text(encoding="utf-8")

    variables = re.findall(r"(?m)^#?([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"))

    for variable in {*variables} - {"COMPOSE_PROFILES"}:  # Compose's own
        assert re.search(rf"\b{variable}\b", compose), variable
    assert len(variables) > 10


def test_the_image_has_distributions_that_are_there() -> None:
    wheels = re.search(r"pip wheel (.+?)\n\n", DOCKERFILE.read_text(encoding="utf-8"), re.DOTALL)

    assert wheels is not None
    paths = re.findall(r"plugins/[\w/]+", wheels[1])
    for path in paths:
        assert (ROOT / path / "pyproject.toml").exists(), path
    assert len(paths) > 5


def test_a_backup_is_whole_though_the_database_is_written_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database")
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as writing:
        writing.execute("PRAGMA journal_mode = WAL")
        writing.execute("CREATE TABLE samples (answer TEXT)")
        writing.execute("INSERT INTO samples VALUES ('kept')")
        writing.commit()
        writing.execute("INSERT INTO samples VALUES ('not yet')")

        subprocess.run([sys.executable, ROOT / "docker/online_backup.py", tmp_path], check=True)

    copies = sorted(path.name for path in (tmp_path / "backup").iterdir())
    assert copies == ["journal.sqlite"]
    with closing(sqlite3.connect(tmp_path / "backup" / "journal.sqlite")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("SELECT answer FROM samples").fetchall() == [("kept",)]


def test_a_container_without_postgresql_waits_for_nothing() -> None:
    command = [sys.executable, str(ROOT / "docker/wait_for_databases.py"), "echo", "started"]
    environ = {**os.environ, "MLFLOW_BACKEND_STORE_URI": "sqlite:////mlflow/mlflow.db"}

    done = subprocess.run(command, env=environ, check=True, text=True, stdout=subprocess.PIPE)

    assert done.stdout == "started\n"
