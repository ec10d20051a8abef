"""A server for tests of the pages: results of the showcase plugin, and the whole application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import importlib_metadata
from llmeval_server.app_factory import make_app
from llmeval_server.context import ServerContext
from llmeval_server.jobs.dbos_store import open_store
from llmeval_server.server_settings import ServerSettings
from starlette.testclient import TestClient

from llmeval_core.api import (
    KINDS,
    Catalog,
    Journal,
    Origin,
    RegisteredComponent,
    RunConfig,
    Session,
    make_plan,
    run_plan,
    validate,
)
from llmeval_core.hooks import ENTRY_POINT_GROUP, Route
from llmeval_core.host import load_plugins

MODELS = ("tutor/atlas-90", "tutor/org/kumo-40")
N_SAMPLES = 130


def showcase_session() -> Session:
    """Load the showcase plugin, and no other."""
    point = importlib_metadata.EntryPoint(
        "showcase", "plugins.server.tests.pages.showcase_plugin", ENTRY_POINT_GROUP
    )
    host = load_plugins(entry_points=[point], environ={})
    assert not host.broken
    components = {
        kind: [
            RegisteredComponent(component, plugin.label)
            for component, plugin in host.components(kind)
        ]
        for kind in KINDS
    }
    return Session(host, Catalog(components))


def evaluate(home: Path, **run: Any) -> None:
    """Run something in a journal; Any: keys of the run file."""
    session, origin = showcase_session(), Origin()
    config = validate(RunConfig, run, origin=origin)
    plan = make_plan(config, session.catalog, origin=origin, observer=session.host)
    with Journal(home) as journal:
        asyncio.run(run_plan(plan, journal))


def evaluate_showcase(home: Path) -> None:
    """Make results of two models at three tasks, one of them hostile."""
    tasks = [
        {"dataset": f"capitals:{N_SAMPLES}", "shots": [0, 2]},
        {"dataset": "ja_readings:20", "shots": [0]},
    ]
    evaluate(home, models=list(MODELS), tasks=tasks)
    evaluate(home, models=[MODELS[0]], tasks=[{"dataset": "hostile"}])


@contextmanager
def site(home: Path, *, routes: tuple[Route, ...] = (), **settings: Any) -> Iterator[TestClient]:
    """Give a browser without JavaScript at a whole server; Any: settings of the server."""
    whole = ServerSettings(home=home, **settings)
    store = open_store(whole)
    context = ServerContext(
        whole, showcase_session(), store, routes, f"{__name__}:showcase_session"
    )
    origin = "http://localhost"
    headers = {"accept": "text/html", "accept-language": "en", "origin": origin}
    client = TestClient(make_app(context), origin + whole.root_path, headers=headers)
    try:
        with client:
            yield client
    finally:
        store.close()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._hidden += tag in ("script", "style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)


def text_of(html: str) -> str:
    """Return what a reader sees, with single spaces."""
    page = _Page()
    page.feed(html)
    return " ".join(" ".join(page.texts).split())


def tags_of(html: str, tag: str) -> list[dict[str, str]]:
    """List the attributes of all elements of a kind."""
    page = _Page()
    page.feed(html)
    return [attributes for name, attributes in page.tags if name == tag]
