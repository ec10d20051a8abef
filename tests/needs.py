"""What tests need besides Python: `make quick` leaves out all that have one of these marks.

A test has a mark by the file that it stands in, or by a fixture that it uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """Which tests need something.

    Args:
        what: it, in one line.
        files: beginnings of their paths, from the root of the repository.
        fixtures: fixtures that give it.
    """

    what: str
    files: tuple[str, ...] = ()
    fixtures: frozenset[str] = frozenset()


NEEDS = {
    "server": Need(
        "starts a server process: `llmeval serve`, MLflow, nginx",
        files=(
            "plugins/proxies/mlflow_proxy/tests/test_embedded_server.py",
            "plugins/server/tests/test_serve",
            "plugins/server/tests/test_worker",
            "tests/integration/",
            "tests/test_cookbook.py",
        ),
        fixtures=frozenset({"any_server", "mlflow_server", "postgres_server", "processes"}),
    ),
    "browser": Need(
        "starts a browser",
        files=(
            "plugins/proxies/mlflow_proxy/tests/test_browser.py",
            "plugins/server/tests/pages/test_pages_browser.py",
            "tests/integration/test_from_form_to_mlflow.py",
        ),
    ),
    "postgres": Need("starts PostgreSQL", fixtures=frozenset({"postgres", "postgres_server"})),
    "cluster": Need("starts Ray", files=("plugins/executors/ray_executor/",)),
    "kills": Need(
        "kills processes at every moment",
        files=(
            "plugins/server/tests/test_serve_kills.py",
            "plugins/server/tests/test_worker_kills.py",
            "plugins/trackers/mlflow_tracker/tests/test_race.py",
            "tests/integration/test_kill_and_resume.py",
        ),
    ),
    "slow": Need("takes seconds"),
}


def marks_of(path: str, fixtures: Iterable[str]) -> Iterator[str]:
    """Name the marks of a test by its file and its fixtures."""
    used = frozenset(fixtures)
    for mark, need in NEEDS.items():
        if path.startswith(need.files) or need.fixtures & used:
            yield mark
