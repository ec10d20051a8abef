"""MLflow's pages in a real browser, through the proxy and directly: there is no difference."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from llmeval_mlflow_proxy.plugin import llmeval_register_routes
from llmeval_mlflow_proxy.upstream import Upstream
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

from llmeval_core.hooks import TrackerStatus
from plugins.proxies.mlflow_proxy.tests.conftest import serve_proxy
from plugins.proxies.mlflow_proxy.tests.route_server import mount, route_context, serve
from plugins.proxies.mlflow_proxy.tests.seeded_mlflow import MODELS, Seeded, seed
from tests.mlflow_server import MlflowServer

SCREENSHOTS = Path(__file__).parents[4] / "build" / "screenshots"
PATIENCE_MS = 60_000
REST_TIMEOUT_S = 5.0
QUIET_S = 0.5
"""A page that has not loaded anything for so long has come to rest, seconds."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The assistant is refused on purpose: 403 is right there, and its panel would cover the pages.
ASSISTANT = "/mlflow/assistant/"
NO_ASSISTANT = """
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
"""

# By name: the address, and a text that the page shows and the page before it does not.
PAGES = {
    "experiments": ("#/experiments", "model_evaluation"),
    "runs": ("#/experiments/{experiment}/runs", MODELS[1]),
    "run": ("#/experiments/{experiment}/runs/{run}", "aio_0shot_accuracy"),
    "artifacts": ("#/experiments/{experiment}/runs/{run}/artifacts/aio_0shot.json", "東京"),
    "metrics": ("#/experiments/{experiment}/runs/{run}/model-metrics", "aio_0shot_accuracy"),
    "traces": ("#/experiments/{experiment}/traces", "東京"),
    "evaluation-runs": ("#/experiments/{experiment}/evaluation-runs", MODELS[0]),
    "models": ("#/models", "registered-model"),
    "datasets": ("#/experiments/{experiment}/datasets", "quiz-questions"),
    "compare": ("#/compare-runs?runs={runs}&experiments={experiments}", "aio_0shot_accuracy"),
}


@dataclass  # without slots: playwright leaves marks on what it calls
class PageErrors:
    """What went wrong while a page was looked at, by paths below the server's own."""

    base: str
    console: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    n_loading: int = 0
    quiet_since: float = 0.0

    def watch(self, page: Page) -> None:
        """Take note of everything from now on."""
        page.on("console", self._listen)
        page.on("pageerror", lambda err: self._complain(str(err)))
        page.on("response", self._look)
        page.on("request", lambda request: self._count(request, 1))
        page.on("requestfinished", lambda request: self._count(request, -1))
        page.on("requestfailed", self._fail_request)

    def forget(self) -> None:
        """Begin anew with another page of the same server."""
        self.console.clear()
        self.failed.clear()
        self.quiet_since = time.monotonic()

    def wait_until_quiet(self, page: Page) -> None:
        """Wait until the page has not loaded anything for a moment, but not for ever."""
        give_up_at = time.monotonic() + REST_TIMEOUT_S
        while time.monotonic() < min(give_up_at, self.quiet_since + QUIET_S) or (
            self.n_loading and time.monotonic() < give_up_at
        ):
            page.wait_for_timeout(50)

    def _count(self, request: Request, change: int) -> None:
        if not request.url.endswith(".worker.js"):  # of which the browser tells no end
            self.n_loading += change
            self.quiet_since = time.monotonic()

    def _listen(self, said: ConsoleMessage) -> None:
        if said.type == "error" and ASSISTANT not in said.location["url"]:
            self._complain(said.text)

    def _complain(self, text: str) -> None:
        self.console.add(self._plain(text))

    def _look(self, response: Response) -> None:
        if response.status >= 400 and ASSISTANT not in response.url:
            self._fail(f"{response.status} {response.request.method} {response.url}")

    def _fail_request(self, request: Request) -> None:
        self._count(request, -1)
        self._fail(f"{request.failure} {request.url}")

    def _fail(self, text: str) -> None:
        if "ERR_ABORTED" not in text:  # the page itself changed its mind
            self.failed.add(self._plain(text))

    def _plain(self, text: str) -> str:
        return re.sub(r"[?#].*", "", text.replace(self.base, ""))


@pytest.fixture(scope="module")
def seeded(mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    return seed(mlflow_server.url, tmp_path_factory.mktemp("seed"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"),
            executable_path="/usr/bin/chromium",
            headless=True,
            args=list(FLAGS),
            viewport={"width": 1400, "height": 900},
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(NO_ASSISTANT)
        yield context
        context.close()


def open_page(browser: BrowserContext, base: str, address: str) -> tuple[Page, PageErrors]:
    """Begin to open a page."""
    errors = PageErrors(base)
    page = browser.new_page()
    errors.watch(page)
    page.goto(f"{base}/{address}", wait_until="commit")
    return page, errors


def see(page: Page, errors: PageErrors, text: str, picture: str) -> None:
    """Wait until a page shows a text and has come to rest, and take a picture."""
    page.bring_to_front()
    page.get_by_text(text).first.wait_for()
    errors.wait_until_quiet(page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{picture}.png")


@pytest.fixture(scope="module")
def proxied(mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of one proxy for all of MLflow's pages."""
    host = mlflow_server.url.removeprefix("http://")
    with serve_proxy(Upstream(mlflow_server.url, host), tmp_path_factory.mktemp("proxy")) as url:
        yield url


Tabs = list[tuple[Page, PageErrors]]


@pytest.fixture(scope="module")
def tabs(browser: BrowserContext, mlflow_server: MlflowServer, proxied: str) -> Tabs:
    """Open MLflow directly and through the proxy; its pages are shown one after another.

    MLflow is one program of some megabytes, which shows the page after the `#` of the address: it
    is loaded once.
    """
    return [open_page(browser, base, "") for base in (mlflow_server.url, proxied)]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_mlflow_is_the_same_through_the_proxy(
    tabs: Tabs, seeded: Seeded, name: str
) -> None:
    address, text = PAGES[name]
    page_url = address.format(
        experiment=seeded.experiment,
        run=seeded.runs[1],
        runs=json.dumps(seeded.runs),
        experiments=json.dumps([seeded.experiment]),
    )
    (direct_page, direct), (proxied_page, proxied) = tabs

    for page, errors in tabs:
        errors.forget()
        page.goto(f"{errors.base}/{page_url}", wait_until="commit")
    see(direct_page, direct, text, f"mlflow-direct-{name}")
    see(proxied_page, proxied, text, f"mlflow-proxied-{name}")

    assert proxied.failed <= direct.failed
    assert proxied.console <= direct.console


@pytest.fixture
def diagnosis(
    mlflow_server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Serve the diagnosis of the real server, with something that waits; give its URL."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    waiting = TrackerStatus("mlflow", 3, 2, 0, None, None, "connection refused")
    lines = ["12:00:01 MLflow is away: connection refused", "12:00:31 MLflow: <b>2</b> waiting"]
    site = route_context(tmp_path, tracker_statuses=lambda: [waiting], log_lines=lambda word: lines)
    with serve(mount(llmeval_register_routes(), site)) as url:
        yield url


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ja")])
def test_the_diagnosis_shows_well_and_works_by_keyboard(
    browser: BrowserContext,
    seeded: Seeded,
    diagnosis: str,
    scheme: Literal["light", "dark"],
    language: str,
) -> None:
    page, visit = open_page(browser, diagnosis, f"debug-mlflow/?lang={language}")
    page.emulate_media(color_scheme=scheme)
    button = page.get_by_role("button")
    see(page, visit, "model_evaluation", f"diagnosis-{scheme}-{language}")

    button.focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()

    assert "mlflow: nothing to deliver" in page.content()
    page.get_by_role("link", name="model_evaluation").click()
    page.wait_for_url(re.compile(f"{diagnosis}/proxy-mlflow/#/experiments/{seeded.experiment}.*"))
    page.get_by_text("model_evaluation").first.wait_for()
    assert {said for said in visit.console if "404" not in said} == set()
    page.close()
