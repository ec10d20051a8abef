"""The pages in a real browser, with a real server and its worker: live, by keyboard, dark."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from plugins.server.tests.pages.browser_window import FLAGS, PATIENCE_MS, PHONE, WIDE, BrowserWindow
from plugins.server.tests.pages.showcase_install import install_showcase
from plugins.server.tests.server_processes import ServerProcesses, wait_until


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def server(evaluated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start `llmeval serve` on a folder with results; gives its address."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(evaluated, folder / "home")
    processes = ServerProcesses(folder, install_showcase(folder / "site"))
    try:
        process = processes.start("serve", "--port", "0", "--jobs-at-once", "3")
        greeting = re.compile(r"http://[^ ]+/")
        wait_until(lambda: greeting.search(processes.said(process)), "the server's greeting")
        found = greeting.search(processes.said(process))
        assert found is not None
        yield found.group().rstrip("/")
        process.terminate()
        process.wait()
    finally:
        processes.close()


@pytest.fixture
def window(browser: Browser, server: str) -> Iterator[Any]:
    """Give what opens windows, in which nothing may go wrong; Any: options of the context."""
    opened: list[tuple[BrowserContext, BrowserWindow]] = []

    def open_window(**options: Any) -> BrowserWindow:
        settings = {"viewport": WIDE, "locale": "en-US", "timezone_id": "Asia/Tokyo", **options}
        context = browser.new_context(base_url=server, **settings)
        visitor = BrowserWindow(context.new_page())
        visitor.watch()
        opened.append((context, visitor))
        return visitor

    yield open_window
    for context, visitor in opened:
        context.close()
        assert visitor.complaints == []


def fill_in(page: Page, model: str, dataset: str) -> None:
    page.goto("/start")
    page.get_by_label("Models 1").fill(model)
    page.get_by_label("Data sets 1").fill(dataset)


def test_a_job_is_started_and_watched_until_it_stands_on_the_leaderboard(window: Any) -> None:
    visitor = window()
    page = visitor.page
    fill_in(page, "tutor/fresh-slow-77", "capitals:100")
    page.get_by_label("Requests at once").fill("4")
    visitor.shoot("start")

    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    visitor.shoot("plan")
    page.get_by_role("button", name="Start", exact=True).click()
    bar = page.get_by_role("progressbar").first
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    part = re.compile(r"\b[1-9]\d %")
    expect(page.locator("td.progress").first).to_have_text(part, timeout=PATIENCE_MS)
    page.evaluate("window.stayed = true")
    visitor.shoot("job-running")
    expect(bar).to_be_visible()
    expect(page.locator(".state.succeeded")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", name="Results")).to_be_visible()

    assert page.evaluate("window.stayed")  # it became so without a reload
    assert "capitals_0shot_exact" in page.inner_text("main")
    visitor.shoot("job-done")
    page.get_by_role("link", name="Leaderboard", exact=True).click()
    expect(page.get_by_role("rowheader", name="tutor/fresh-slow-77")).to_be_visible()


def test_a_job_that_fails_says_why_and_can_be_tried_again(window: Any) -> None:
    visitor = window()
    fill_in(visitor.page, "tutor/locked", "capitals:5")

    visitor.page.get_by_role("button", name="Start", exact=True).click()
    expect(visitor.page.locator(".state.failed")).to_be_visible(timeout=PATIENCE_MS)
    expect(visitor.page.get_by_role("alert")).to_contain_text("the key is wrong")
    visitor.shoot("job-failed")
    visitor.page.get_by_role("button", name="Retry").click()
    expect(visitor.page.locator("dl.facts")).to_contain_text(re.compile(r"Attempt\s*2"))
    expect(visitor.page.locator(".state.failed")).to_be_visible(timeout=PATIENCE_MS)


def test_a_job_is_cancelled_in_the_middle(window: Any) -> None:
    page = window().page
    fill_in(page, "tutor/endless-slow-50", "capitals:2000")
    page.get_by_label("Requests at once").fill("1")
    page.get_by_role("button", name="Start", exact=True).click()
    some_done = re.compile(r"^[1-9]\d* / 2,000")
    expect(page.locator("td.num", has=page.locator(".of"))).to_have_text(
        some_done, timeout=PATIENCE_MS
    )

    page.get_by_role("button", name="Cancel").click()

    expect(page.locator(".state.cancelled")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


def test_the_home_page_follows_a_job_of_somebody_else(window: Any) -> None:
    watching, starting = window(), window()
    watching.page.goto("/")
    watching.page.evaluate("window.stayed = true")

    fill_in(starting.page, "tutor/else-slow-60", "capitals:60")
    starting.page.get_by_label("Name").fill("somebody else's")
    starting.page.get_by_label("Requests at once").fill("1")  # slow enough to be seen
    starting.page.get_by_role("button", name="Start", exact=True).click()

    row = watching.page.get_by_role("row", name="somebody else's")
    expect(row).to_contain_text("running", timeout=PATIENCE_MS)
    watching.shoot("home")
    expect(row).to_contain_text("succeeded", timeout=PATIENCE_MS)
    assert watching.page.evaluate("window.stayed")


def test_sorting_and_filtering_need_no_reload_and_can_be_gone_back_from(window: Any) -> None:
    visitor = window()
    page = visitor.page
    page.goto("/leaderboard?dataset=ja_readings")
    page.evaluate("window.stayed = true")
    first = page.locator("tbody th").first

    expect(first).to_have_text("tutor/atlas-90")
    head = page.locator("#sort-ja_readings_0shot_distance")
    head.click()
    expect(head).to_contain_text("▲")  # until then, a click asks for the same order again
    head.click()
    expect(first).to_have_text("tutor/org/kumo-40")
    page.get_by_text("Models all").click()
    page.get_by_role("checkbox", name="tutor/atlas-90").check()
    expect(first).to_have_text("tutor/atlas-90")
    assert page.locator("tbody th").count() == 1
    visitor.shoot("leaderboard-filter")
    page.go_back()
    expect(first).to_have_text("tutor/org/kumo-40")
    assert "order=desc" in page.url
    assert page.evaluate("window.stayed")


def test_from_the_leaderboard_to_what_went_wrong(window: Any) -> None:
    visitor = window()
    page = visitor.page
    page.goto("/leaderboard?dataset=capitals&model=tutor/org/kumo-40")

    page.locator("td.value a").first.click()
    page.get_by_role("link", name=re.compile("^Wrong")).click()
    expect(page.locator("[aria-current=true]")).to_contain_text("Wrong")
    page.get_by_label("Category").select_option("Asia")
    expect(page.locator(".samples tbody tr").first).to_contain_text("Asia")
    expect(page.locator(".samples tbody tr", has_text="Europe")).to_have_count(0)
    visitor.shoot("samples-wrong")
    page.locator(".samples tbody th a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sample")
    before = page.url
    page.get_by_role("link", name="Next wrong").click()
    page.wait_for_url(lambda url: url != before)
    visitor.shoot("sample")


def test_everything_can_be_done_by_keyboard(window: Any) -> None:
    page = window().page
    page.goto("/start")
    press = page.keyboard.press

    press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    press("Enter")
    for _ in range(3):  # past the two ways to say it, to the first model
        press("Tab")
    page.keyboard.type("tutor/keys-88")
    press("Tab")
    press("Tab")
    page.keyboard.type("capitals:3")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "auto"
    press("Enter")

    expect(page.locator(".state.succeeded")).to_be_visible(timeout=PATIENCE_MS)
    page.goto("/leaderboard")
    page.locator("#sort-model").focus()
    press("Enter")
    expect(page.locator("[aria-sort]").first).to_contain_text("Model")
    assert page.evaluate("document.activeElement.id") == "sort-model"  # focus stays


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("size", "viewport"), [("wide", WIDE), ("phone", PHONE)])
@pytest.mark.parametrize("locale", ["en-US", "ja-JP"])
def test_every_page_fits_every_window(
    window: Any, locale: str, size: str, viewport: dict[str, int], scheme: str
) -> None:
    visitor = window(viewport=viewport, color_scheme=scheme, locale=locale)
    one = "model=tutor/atlas-90&task=capitals_2shot"
    pages = {
        "home": "/",
        "leaderboard": "/leaderboard?categories=true",
        "tasks": "/samples",
        "samples": f"/samples?{one}",
        "hostile": "/samples?model=tutor/atlas-90&task=hostile_0shot",
        "sample": f"/samples/one?{one}&index=4",
        "hostile-sample": "/samples/one?model=tutor/atlas-90&task=hostile_0shot&index=2",
        "form": "/start",
        "login": "/login",
    }

    for name, path in pages.items():
        visitor.page.goto(path)
        visitor.shoot(f"{name}-{locale[:2]}-{scheme}-{size}")
        background = visitor.page.evaluate("getComputedStyle(document.documentElement).color")
        assert ("rgb(230" in background) == (scheme == "dark")
    assert locale[:2] == visitor.page.evaluate("document.documentElement.lang")


def test_hostile_texts_do_nothing(window: Any) -> None:
    page = window().page
    for path in ("/samples?", *(f"/samples/one?index={index}&" for index in range(6))):
        page.goto(f"{path}model=tutor/atlas-90&task=hostile_0shot")
        assert "taken over" not in page.title()
        assert page.locator("main img, main script, main i").count() == 0


def test_without_javascript_everything_still_works(window: Any) -> None:
    page = window(java_script_enabled=False).page
    fill_in(page, "tutor/plain-70", "capitals:30")

    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".state.succeeded")).to_be_visible(timeout=PATIENCE_MS)  # it refreshes
    page.goto("/leaderboard")
    page.locator("#sort-model").click()
    expect(page.locator("[aria-sort]").first).to_contain_text("Model")
    page.get_by_text("Categories").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("thead")).to_contain_text("exact / Asia")


def test_a_server_that_went_away_is_told_and_found_again(window: Any) -> None:
    visitor = window()
    page = visitor.page
    page.goto("/")

    page.route("**/*", lambda route: route.abort())
    expect(page.locator("#lost")).to_be_visible()
    page.unroute("**/*")
    expect(page.locator("#lost")).to_be_hidden()

    visitor.complaints.clear()  # the browser's own words about the lost connection
