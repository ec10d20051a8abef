"""Start-up: `llmeval --help` and `--version` against `python -c "import click"`.

Bar: at most 2.0 times as long, `llmeval run --help` at most 3.0, and neither imports a plugin
or pydantic. Rounds take turns, so that a busy moment hits all of them.
Run `python -m benchmarks.startup`.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from statistics import median

from benchmarks.processes import LLMEVAL, run

ROUNDS = 21
COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "python -c 'import click'": (sys.executable, "-c", "import click"),
    "llmeval --version": (*LLMEVAL, "--version"),
    "llmeval --help": (*LLMEVAL, "--help"),
    "llmeval run --help": (*LLMEVAL, "run", "--help"),
}
_LIST_MODULES = """
import atexit, sys
atexit.register(lambda: print("\\nmodules", *sys.modules))
from llmeval_core.cli import main
main()
"""


def main() -> None:
    """Measure and print."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            times[name].append(run(*command).wall_s)
    click_s = median(times["python -c 'import click'"])
    for name, measured in times.items():
        print(f"{name:26} {median(measured) * 1000:7.0f} ms  {median(measured) / click_s:5.2f}x")
    for flag in ("--help", "--version"):
        print(f"llmeval {flag} imports", ", ".join(heavy_imports(flag)) or "no plugin, no pydantic")


def heavy_imports(flag: str) -> list[str]:
    """Name the plugins' packages, and pydantic, that `llmeval FLAG` imports."""
    heavy = {"pydantic", "pluggy", "rich", "jinja2"}
    heavy |= {point.module.partition(".")[0] for point in entry_points(group="llmeval")}
    listed = run(sys.executable, "-c", _LIST_MODULES, flag).output
    modules = {name.partition(".")[0] for name in listed.rpartition("\nmodules ")[2].split()}
    return sorted(heavy & modules)


if __name__ == "__main__":
    main()
