"""A plugin for tests whose data sets do to a planning process what a plugin can do to it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import importlib_metadata
from pydantic import Field

from llmeval_core.api import KINDS, Catalog, RegisteredComponent, Session
from llmeval_core.hooks import (
    ENTRY_POINT_GROUP,
    Component,
    Dataset,
    Sample,
    Settings,
    TaskDefaults,
    hookimpl,
)
from llmeval_core.host import load_plugins


class UnrulySettings(Settings):
    """What it does."""

    does: str = Field(default="nothing")


class Unruly:
    """Two samples, and something else before them."""

    name = "unruly"
    defaults = TaskDefaults()

    def __init__(self, settings: UnrulySettings) -> None:
        self._does = settings.does

    def samples(self) -> Iterator[Sample]:
        match self._does:
            case "print":
                print("not JSON", flush=True)
                os.write(1, b"\xff\xff\xff\xff\xff\xff\xff\xff")
            case "exit":
                os._exit(7)
            case "eat":
                assert "x" * 3_000_000_000
            case "raise":
                raise KeyboardInterrupt
            case "search":  # a pattern that backtracks for ever and never lets Python go on
                re.fullmatch(r"(a|aa)+$", "a" * 200 + "b")
            case "start a process":
                subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"], check=False)
        return iter([Sample(f"s{i}", f"{i}+1=", (str(i + 1),)) for i in range(2)])

    def few_shot_pool(self) -> Iterator[Sample]:
        return self.samples()

    def size(self) -> int | None:
        return 2

    def fingerprint(self) -> str:
        if self._does == "search in fingerprint":
            re.fullmatch(r"(a|aa)+$", "a" * 200 + "b")
        return "unruly"


@hookimpl
def llmeval_register_datasets() -> Iterable[Component[Any, Dataset]]:
    yield Component("unruly", UnrulySettings, Unruly, "does something unexpected", argument="does")


def unruly_session() -> Session:
    """Load this plugin, and the models and metrics that a run file needs."""
    name = "plugins.server.tests.unruly_plugin"
    points = [
        importlib_metadata.EntryPoint("unruly", name, ENTRY_POINT_GROUP),
        *(
            point
            for point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP)
            if point.name in {"models", "metrics", "datasets"}
        ),
    ]
    host = load_plugins(entry_points=points, environ={})
    components = {
        kind: [
            RegisteredComponent(component, plugin.label)
            for component, plugin in host.components(kind)
        ]
        for kind in KINDS
    }
    return Session(host, Catalog(components))
