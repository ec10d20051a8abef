"""The doctor's lines about MLflow's pages."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from llmeval_mlflow_proxy.diagnosis_checks import check
from llmeval_mlflow_proxy.embedded.service_file import ServiceFile
from llmeval_mlflow_proxy.plugin import llmeval_register_checks
from llmeval_mlflow_proxy.upstream import Upstream

from plugins.proxies.mlflow_proxy.tests.fake_mlflow import fake_mlflow, replying
from plugins.proxies.mlflow_proxy.tests.test_diagnosis import ACTIVE, BY_NAME, RUNS, SEARCH, run

Outcome = tuple[str, str, str | None]


async def looked(topic: str, home: Path, **environ: str) -> Outcome:
    """Run a check as the doctor does: in a thread."""
    outcome = await asyncio.to_thread(check, topic, home, environ)  # type: ignore[arg-type]
    return outcome.state, outcome.detail, outcome.hint


def test_the_names_say_what_is_looked_at() -> None:
    names = [offered.name for offered in llmeval_register_checks()]

    assert names == ["MLflow pages", "MLflow runs", "MLflow speed"]


async def test_without_any_server_nothing_is_wrong(tmp_path: Path) -> None:
    assert await looked("pages", tmp_path) == (
        "ok",
        "`llmeval serve` starts MLflow itself; it is not running now",
        None,
    )
    assert (await looked("speed", tmp_path))[0] == "ok"


async def test_what_a_crashed_server_left_behind_is_not_believed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ServiceFile(tmp_path).write(Upstream(f"http://127.0.0.1:{port}", "x"))

    assert (await looked("pages", tmp_path))[1].endswith("it is not running now")


async def test_an_embedded_server_that_runs_is_looked_at(tmp_path: Path) -> None:
    async with fake_mlflow({}) as url:
        ServiceFile(tmp_path).write(Upstream(url, "x"))
        state, detail, _ = await looked("pages", tmp_path)

    assert (state, detail.partition(";")[0]) == ("ok", f"Server: {url} answers")


async def test_only_what_is_wrong_is_told_with_its_cure(tmp_path: Path) -> None:
    refusing = replying("Invalid Host header - possible DNS rebinding attack", status=403)
    async with fake_mlflow({SEARCH: refusing}) as url:
        pages = await looked("pages", tmp_path, MLFLOW_TRACKING_URI=url)
        runs = await looked("runs", tmp_path, MLFLOW_TRACKING_URI=url)

    host = url.removeprefix("http://")
    assert pages == (
        "failed",
        f"Host check: it refuses every request for the host '{host}' (403), "
        "though its health check is fine",
        f"start MLflow with MLFLOW_SERVER_ALLOWED_HOSTS={host},localhost:*,127.0.0.1:*",
    )
    assert runs == ("ok", "not seen: MLflow does not answer as it should", None)


async def test_models_with_several_runs_and_slow_workers_are_told(tmp_path: Path) -> None:
    pages = replying(f'{{"runs": [{run("r1", "a/b")}, {run("r2", "a/b")}]}}')
    handlers = {BY_NAME: replying(ACTIVE), RUNS: pages}
    async with fake_mlflow(handlers, delay_s=0.1) as url:
        runs = await looked("runs", tmp_path, MLFLOW_TRACKING_URI=url)
        speed = await looked("speed", tmp_path, MLFLOW_TRACKING_URI=url)

    assert runs[:2] == ("warning", "Runs: 1 of 1 models have more than one run")
    assert speed[::2] == ("warning", "start MLflow with --workers 1")
