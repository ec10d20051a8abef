"""A visitor's whole way in a real browser: form, job, leaderboard, the run in MLflow, diagnosis."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient
from playwright.sync_api import Page, expect, sync_playwright

from tests.papers import ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"
PATIENCE_S = 180
PATIENCE_MS = PATIENCE_S * 1000
N_SAMPLES = 3_000
MAIN = "from llmeval_core.cli import main; main()"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
NO_ASSISTANT = """
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
"""


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Poll until something is true."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < give_up_at, f"never happened: {what}"
        time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Server:
    """`llmeval serve` with an MLflow of its own."""

    url: str
    pid: int

    def mlflow_state(self) -> str:
        """Ask the diagnosis about the embedded MLflow; `ok` if it runs."""
        with contextlib.suppress(urllib.error.URLError):
            with urllib.request.urlopen(f"{self.url}/debug-mlflow/?format=json") as answer:
                findings = json.load(answer)["findings"]
            return str(next(one["state"] for one in findings if one["topic"] == "embedded"))
        return "away"

    def kill_mlflow(self) -> None:
        """Kill what keeps the embedded MLflow, and with it all of its processes."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if parent == self.pid and {b"mlflow", b"server"} < set(words):
                    os.kill(int(folder.name), signal.SIGKILL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Start a server on a new folder with a data set in it."""
    lines = [{"input": f"質問 {i}", "references": [f"質問 {i}"]} for i in range(N_SAMPLES)]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    (tmp_path / "mirror.jsonl").write_text(text, encoding="utf-8")
    ours = ("LLMEVAL_", "MLFLOW_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    said = tmp_path / "said.txt"
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", MAIN, "serve", "--port", "0"],
            cwd=tmp_path,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        greeting = re.compile(r"http://\S+(?=/)")
        wait_until(lambda: greeting.search(said.read_text()), "the server's greeting")
        found = greeting.search(said.read_text())
        assert found is not None
        yield Server(found.group(), process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)


@pytest.fixture
def page(server: Server) -> Iterator[Page]:
    """Open a browser in which nothing of ours may go wrong."""
    complaints: list[str] = []

    def hear(said: Any) -> None:
        if said.type == "error" and "/proxy-mlflow/" not in said.location["url"]:
            complaints.append(said.text)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        options: Any = {"base_url": server.url, "locale": "en-US"}
        context = browser.new_context(viewport={"width": 1440, "height": 900}, **options)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(NO_ASSISTANT)
        page = context.new_page()
        page.on("console", hear)
        yield page
        browser.close()
    assert complaints == []


def make_a_second_run(url: str, model: str) -> None:
    """Do through the proxy what a tool does that knows nothing of the model's run."""
    client: Any = MlflowClient(f"{url}/proxy-mlflow")  # Any: mlflow's types are loose
    experiment = client.get_experiment_by_name("model_evaluation")
    run = client.create_run(experiment.experiment_id)
    client.log_param(run.info.run_id, "model_name", model)
    client.log_metric(run.info.run_id, "by_hand", 0.5)
    client.set_terminated(run.info.run_id)


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"whole-way-{name}.png")


def test_from_the_form_to_the_run_in_mlflow(page: Page, server: Server) -> None:
    expect.set_options(timeout=PATIENCE_MS)

    # A job from the form; its results go to MLflow.
    page.goto("/")
    page.get_by_role("link", name="Start a job").first.click()
    page.get_by_label("Models 1").fill("echo/parrot")
    page.get_by_label("Data sets 1").fill("jsonl:mirror.jsonl")
    page.get_by_label("Metrics 1").fill("exact_match")
    expect(page.get_by_role("checkbox", name="mlflow")).to_be_checked()
    shoot(page, "form")
    page.get_by_role("button", name="Start", exact=True).click()

    # Its progress is seen without a reload.
    page.evaluate("window.stayed = true")
    expect(page.locator(".state.running")).to_be_visible()
    expect(page.locator("td.num", has=page.locator(".of")).first).to_have_text("3,000 / 3,000")
    shoot(page, "progress")
    expect(page.locator(".state.succeeded")).to_be_visible()
    expect(page.locator(".log")).to_contain_text("MLflow: delivered echo/parrot mirror_0shot")
    assert page.evaluate("window.stayed")
    shoot(page, "job")

    # The leaderboard's link opens the right run in MLflow, behind the same address.
    wait_until(lambda: server.mlflow_state() == "ok", "the embedded MLflow")
    page.get_by_role("link", name="Leaderboard", exact=True).click()
    row = page.get_by_role("row", name="echo/parrot")
    expect(row).to_contain_text("1.000")
    shoot(page, "leaderboard")
    row.get_by_role("link", name="echo/parrot").click()
    page.wait_for_url(re.compile(rf"{server.url}/proxy-mlflow/#/experiments/\d+/runs/\w{{32}}.*"))
    expect(page.get_by_role("heading", name="echo/parrot").first).to_be_visible()
    expect(page.get_by_text("mirror_0shot_exact_match").first).to_be_visible()
    expect(page.get_by_text("model_name").first).to_be_visible()
    shoot(page, "mlflow-run")

    # The diagnosis, while all is well, and while somebody's run is beside the model's own.
    page.goto("/debug-mlflow")
    expect(page.get_by_text("runs: 1, models: 1; each model has one")).to_be_visible()
    shoot(page, "diagnosis-good")
    make_a_second_run(server.url, "echo/parrot")
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("1 of 1 models have more than one run")).to_be_visible()
    shoot(page, "diagnosis-twice")
    page.get_by_role("button", name="Merge them now").click()
    expect(page.get_by_role("status")).to_contain_text("mlflow: 1 delivered")
    expect(page.get_by_text("runs: 1, models: 1; each model has one")).to_be_visible()

    # While MLflow is dead, and when it is back by itself.
    server.kill_mlflow()
    wait_until(lambda: server.mlflow_state() != "ok", "the end of MLflow")
    page.reload()
    expect(page.get_by_text(re.compile("MLflow (ended|is starting)")).first).to_be_visible()
    shoot(page, "diagnosis-broken")
    wait_until(lambda: server.mlflow_state() == "ok", "MLflow once more")
    page.goto("/debug-mlflow")
    expect(page.get_by_text("model_evaluation").first).to_be_visible()
    shoot(page, "diagnosis-again")
