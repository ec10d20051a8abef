"""Fixtures for whole-program tests: a folder of fake plugins, and the command line."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import importlib_metadata
import pytest

from llmeval_core.announced_commands import COMMANDS_GROUP
from llmeval_core.cli.group import main
from llmeval_core.hooks import ENTRY_POINT_GROUP

FAKE_PLUGINS = Path(__file__).parent / "data" / "fake_plugins"


class PluginFolder:
    """A folder on the module path where distributions appear as if pip had installed them.

    Subprocesses see it too. Plugins that are installed for real are disabled meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.modules: list[str] = []

    def install(
        self,
        name: str,
        source: str | None = None,
        *,
        entry_point: str | None = None,
        version: str = "1.0",
        commands: dict[str, str] | None = None,
    ) -> None:
        """Add the distribution `fake-<name>`.

        Args:
            name: the module, and the entry point unless that is given.
            source: the module's text; a copy of `tests/data/fake_plugins/<name>.py` if None.
            entry_point: the entry point's name.
            version: the distribution's version.
            commands: the entry points of the group `llmeval.commands`.
        """
        if source is None:
            source = (FAKE_PLUGINS / f"{name}.py").read_text(encoding="utf-8")
        (self.path / f"{name}.py").write_text(source, encoding="utf-8")
        distribution = f"fake-{name.replace('_', '-')}"
        info = self.path / f"fake_{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(
            f"[{ENTRY_POINT_GROUP}]\n{entry_point or name} = {name}\n\n[{COMMANDS_GROUP}]\n"
            + "".join(f"{command} = {value}\n" for command, value in (commands or {}).items()),
            encoding="utf-8",
        )
        self.modules.append(name)
        importlib.invalidate_caches()


@pytest.fixture
def plugin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginFolder]:
    """Give a plugin folder; nothing else offers anything while the test runs."""
    path = tmp_path / "site"
    path.mkdir()
    installed = {point.name for point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP)}
    monkeypatch.setenv("LLMEVAL_DISABLE_PLUGINS", ",".join(sorted(installed)))
    monkeypatch.delenv("LLMEVAL_STRICT_PLUGINS", raising=False)
    known = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(path), *([known] if known else [])]))
    monkeypatch.syspath_prepend(str(path))
    folder = PluginFolder(path)
    yield folder
    for module in folder.modules:
        sys.modules.pop(module, None)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended, and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str


Llmeval = Callable[..., Finished]
"""Runs `llmeval ARGS...` in this process."""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the current one, on a screen of 100 columns without colours."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.delenv("LLMEVAL_HOME", raising=False)
    return work


@pytest.fixture
def llmeval(plugin_folder: PluginFolder, work: Path, capsys: pytest.CaptureFixture[str]) -> Llmeval:
    """Give the command line; it runs in this process, in an empty folder."""

    def run(*args: str) -> Finished:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(args)
        out, err = capsys.readouterr()
        code = stopped.value.code
        assert isinstance(code, int)
        return Finished(code, out, err)

    return run
