"""For all tests: names that are the same in every process, and servers that tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mlflow_server import MlflowServer
from tests.needs import NEEDS, marks_of


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by what they need."""
    for item in items:
        path = item.path.relative_to(config.rootpath).as_posix()
        for mark in marks_of(path, getattr(item, "fixturenames", ())):
            item.add_marker(mark)


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """Give one MLflow server to all tests; a test that stops it has to start it again."""
    server = MlflowServer(tmp_path_factory.mktemp("mlflow-server"))
    server.start()
    yield server
    server.stop()
