"""A plugin project, made from the template that lies in the core's wheel.

The template has one component of each kind, each in a module with a test of its own, named after
the component. A project gets the files of one kind, with all names replaced.
"""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Mapping
from pathlib import Path

import llmeval_core
from llmeval_core.cli.group import COMMANDS
from llmeval_core.errors import ConfigError, PluginError

_EXAMPLES: Mapping[str, str] = {
    "dataset": "weekdays",
    "model": "simple_http",
    "metric": "brevity",
    "task": "larger_number",
    "solver": "second_look",
    "tool": "great_circle",
    "tracker": "csv_file",
    "executor": "other_process",
    "command": "footprint",
    "route": "noticeboard",
    "check": "free_space",
}
"""The template's component of each kind."""

KINDS = tuple(_EXAMPLES)

_PACKAGE = "llmeval_example_plugin"
_DISTRIBUTION = "llmeval-example-plugin"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def template_folder() -> Path:
    """Find the template: in the installed package, else beside it in a checkout.

    Raises:
        PluginError: it is in neither place.
    """
    package = Path(llmeval_core.__file__).parent
    for folder in (package / "plugin_template", package.parent / "templates" / "plugin"):
        if (folder / "pyproject.toml").is_file():
            return folder
    raise PluginError(
        "the template for plugins is not installed",
        where=str(package),
        hint="install llmeval-core again",
    )


def with_article(kind: str) -> str:
    """Return `a metric`, `an executor`."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def checked_name(name: str, kind: str) -> str:
    """Return a component's name as it stands in code: `my-metric` becomes `my_metric`.

    Raises:
        ConfigError: there can be no package of that name, or there is one already.
    """
    plain = name.lower().replace("-", "_").removeprefix("llmeval_")
    if keyword.iskeyword(plain):
        raise ConfigError(
            f"a plugin cannot be called '{name}'",
            hint=f"'{plain}' is a word of Python's own; choose another name, such as my_{plain}",
        )
    if not _NAME.fullmatch(plain):
        raise ConfigError(
            f"a plugin cannot be called '{name}'",
            hint="a name has letters a to z, digits and underscores, and begins with a letter",
        )
    if kind == "command" and plain in COMMANDS:
        raise ConfigError(f"llmeval has a command '{plain}' already", hint="choose another name")
    if importlib.util.find_spec(f"llmeval_{plain}") is not None:
        raise ConfigError(
            f"there is a package 'llmeval_{plain}' already", hint="choose another name"
        )
    return plain


def write_project(kind: str, name: str, folder: Path) -> Path:
    """Write the project of one kind into a folder, and return the module to begin with.

    Args:
        kind: one of `KINDS`.
        name: of the component, as `checked_name` gives it.
        folder: made if it is not there.

    Raises:
        ConfigError: the folder has files, or cannot be written.
    """
    template, example = template_folder(), _EXAMPLES[kind]
    package = f"llmeval_{name}"
    rename = _Renaming(example, name)
    texts = {
        "pyproject.toml": rename(_project_file(template, kind)),
        "README.md": rename(_readme(template, kind)),
        f"src/{package}/__init__.py": f'"""{with_article(kind).capitalize()} for llmeval."""\n',
        f"src/{package}/py.typed": "",
        f"src/{package}/{name}.py": rename(_read(template / "src" / _PACKAGE / f"{example}.py")),
        f"tests/test_{name}.py": rename(_read(template / "tests" / f"test_{example}.py")),
    }
    try:
        if folder.exists() and any(folder.iterdir()):
            raise ConfigError(f"'{folder}' is not empty", hint="choose another --folder")
        for path, text in texts.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as err:
        raise ConfigError(f"the project cannot be written: {err}", where=str(folder)) from err
    return folder / "src" / package / f"{name}.py"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class _Renaming:
    """Replaces the template's names by those of the project, all in one pass."""

    def __init__(self, example: str, name: str) -> None:
        self._new = {
            _PACKAGE: f"llmeval_{name}",
            _DISTRIBUTION: f"llmeval-{name.replace('_', '-')}",
            example: name,
            _class(example): _class(name),
        }
        self._old = re.compile("|".join(re.escape(old) for old in self._new))

    def __call__(self, text: str) -> str:
        return self._old.sub(lambda found: self._new[found[0]], text)


def _class(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _project_file(template: Path, kind: str) -> str:
    """Leave out the lines that name the components of other kinds, and tables left empty."""
    others = re.compile(
        "|".join(rf"\b{one}\b" for one in _EXAMPLES.values() if one != _EXAMPLES[kind])
    )
    lines = _read(template / "pyproject.toml").splitlines(keepends=True)
    kept = "".join(line for line in lines if not others.search(line))
    kept = re.sub(r"(?m)^\[.*\]\n\n", "", kept)
    return re.sub(
        r"(?m)^description = .*$",
        f'description = "{with_article(kind).capitalize()} for llmeval"',
        kept,
    )


def _readme(template: Path, kind: str) -> str:
    """Take the section of one kind, and what comes before all of them for one's own."""
    sections = re.split(r"(?m)^## ", _read(template / "README.md"))
    (section,) = (one for one in sections[1:] if one.startswith(f"{_EXAMPLES[kind]}:"))
    commands = re.search(r"(?ms)^```console\n.*?^```\n", sections[0])
    assert commands is not None
    what = f"{with_article(kind).capitalize()} for llmeval."
    return f"# {_DISTRIBUTION}\n\n{what}\n\n{commands[0]}\n## {section.rstrip()}\n"
