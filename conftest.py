"""For all tests: names that are the same in every process, and servers that tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.mlflow_server import MlflowServer
from tests.needs import NEEDS, marks_of_file, marks_of_fixtures

# No test is about how long something takes: machines are shared.
hypothesis.settings.register_profile(
    "llmeval", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("llmeval")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their number: those of an archive have the time in them."""
    del config
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None


class FailureNames:
    """Names each test that fails when it fails: a run of minutes may be cut off before its end."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print the name, and the first line of what went wrong."""
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            reason = getattr(crash, "message", report.longreprtext).partition("\n")[0]
            self._terminal.write_line(f"\n{report.nodeid} ({report.when}): {reason}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known; name failures where results are shown, not in workers of xdist."""
    for mark, need in NEEDS.items():
        config.addinivalue_line("markers", f"{mark}: {need.what}")
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailureNames(terminal))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make quick` leave out what it cannot run, without importing it."""
    parser.addoption(
        "--only-python", action="store_true", help="no test that has a mark of tests/needs.py"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files whose tests all have a mark, if that is wanted."""
    is_left_out = config.getoption("only_python") and marks_of_file(_name(collection_path, config))
    return True if is_left_out else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by what they need, and leave out those that have a mark, if that is wanted."""
    kept: list[pytest.Item] = []
    marked: list[pytest.Item] = []
    for item in items:
        marks = marks_of_file(_name(item.path, config))
        marks |= marks_of_fixtures(getattr(item, "fixturenames", ()))
        for mark in marks:
            item.add_marker(mark)
        (marked if marks else kept).append(item)
    if config.getoption("only_python"):
        config.hook.pytest_deselected(items=marked)
        items[:] = kept


def _name(path: Path, config: pytest.Config) -> str:
    """Name a file from the root of the repository."""
    return path.relative_to(config.rootpath).as_posix()


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """Give one MLflow server to all tests; a test that stops it has to start it again."""
    server = MlflowServer(tmp_path_factory.mktemp("mlflow-server"))
    server.start()
    yield server
    server.stop()
