"""Install what lies in `dist/` into a new environment, far from the tree, and run the demo there.

python -m release.rehearsal [MODEL...]
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

from release.build import DIST
from release.constraints import CONSTRAINTS
from release.distributions import ROOT, SUITE, Distribution, distributions

DEMO = ROOT / "examples" / "demo.yaml"
N_SAMPLES = 5
"""Samples of each task of the demo: this proves the packages, not the model."""
_READ = """
import json, llmeval
print(json.dumps(dict(rows=llmeval.results().records(), file=llmeval.__file__)))
"""


class RehearsalError(Exception):
    """What is in `dist/` is not ready for an index."""


@dataclass(frozen=True, slots=True)
class NewEnvironment:
    """A virtual environment of its own, and an empty folder to work in; neither knows the tree."""

    folder: Path

    @property
    def work(self) -> Path:
        """Where commands run."""
        return self.folder / "work"

    def make(self) -> None:
        """Make both."""
        self.work.mkdir()
        venv.create(self.folder / "venv", with_pip=True)

    def run(self, command: str, *words: str | Path, prints: bool = False) -> str:
        """Run a command of the environment.

        Args:
            command: its name.
            words: its arguments.
            prints: whether its output is shown, and not returned.

        Raises:
            RehearsalError: it fails; the error has its output.
        """
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "VIRTUAL_ENV", "MLFLOW_", "LLMEVAL_"))
            or name == "LLMEVAL_CACHE"
        }
        done = subprocess.run(  # noqa: S603  commands of ours
            [self.folder / "venv" / "bin" / command, *words],
            cwd=self.work,
            env=environ,
            check=False,
            text=True,
            stdout=None if prints else subprocess.PIPE,
            stderr=None if prints else subprocess.STDOUT,
        )
        if done.returncode != 0:
            spelt = " ".join([command, *(str(word) for word in words)])
            raise RehearsalError(f"`{spelt}` ends with {done.returncode}\n{done.stdout or ''}")
        return done.stdout or ""


def wheels(found: list[Distribution], folder: Path) -> list[str]:
    """Name the wheel of each distribution, that of the suite with everything it offers.

    Raises:
        RehearsalError: there is none, or more than one.
    """
    named = []
    for one in found:
        files = list(folder.glob(f"{one.file_name}-*.whl"))
        if len(files) != 1:
            raise RehearsalError(f"dist/ has {len(files)} wheels of {one.name}: `make wheels`")
        named.append(f"{files[0]}[all]" if one.name == SUITE else str(files[0]))
    return named


def rehearse(models: list[str], folder: Path) -> None:
    """Install, look whether everything is there and from where, and run the demo.

    Raises:
        RehearsalError: something is not as it must be.
    """
    found = distributions()
    new = NewEnvironment(folder)
    new.make()
    _say(f"installing {len(found)} wheels into a new environment ...")
    pip = ("-m", "pip", "--disable-pip-version-check")
    constraints = shutil.copy(CONSTRAINTS, folder)
    new.run("python", *pip, "install", "--quiet", "--constraint", constraints, *wheels(found, DIST))
    new.run("python", *pip, "check")
    plugins = json.loads(new.run("llmeval", "plugins", "--json"))
    asleep = [plugin for plugin in plugins if plugin["state"] != "loaded"]
    if asleep or len(plugins) < len(found) - 2:  # the core and the suite are no plugins
        raise RehearsalError(f"not every plugin is loaded: {plugins}")
    _say(f"{len(plugins)} plugins loaded; the demo, {N_SAMPLES} samples a task:")
    demo = shutil.copy(DEMO, new.work)
    chosen = [word for model in models for word in ("-m", model)]
    new.run("llmeval", "run", demo, "--limit", str(N_SAMPLES), *chosen, prints=True)
    read = json.loads(new.run("python", "-c", _READ))
    if not read["rows"] or not Path(read["file"]).is_relative_to(folder):
        raise RehearsalError(f"`import llmeval` does not see the demo's results: {read}")
    _say(f"{len(read['rows'])} numbers read with `import llmeval` from {len(found)} wheels: ready")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  what the command is for


def main() -> None:
    """Rehearse in a temporary folder, and say in one line why not if it fails."""
    with tempfile.TemporaryDirectory(prefix="llmeval-rehearsal-") as folder:
        try:
            rehearse(sys.argv[1:], Path(folder))
        except RehearsalError as err:
            sys.exit(f"error: {err}")


if __name__ == "__main__":
    main()
