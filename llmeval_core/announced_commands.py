"""Commands that installed distributions announce, found without importing any of them.

A distribution names its commands in the entry-point group `llmeval.commands`: the name is the
command, the value is where its click command is defined. That is enough for `llmeval --help`; what
runs is what the plugin's hook `llmeval_register_commands` gives.

    [project.entry-points."llmeval.commands"]
    hello = "my_package.hello:command"

Everything here is read from files and imports nothing heavy, not even pathlib: `llmeval --help`
waits for it. A distribution that cannot be read is left out; `llmeval plugins` says why.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PLUGINS_GROUP = "llmeval"
COMMANDS_GROUP = "llmeval.commands"
_FILE = "entry_points.txt"
_HEADER = b"[llmeval.commands]"


@dataclass(frozen=True, slots=True)
class AnnouncedCommand:
    """A command of an installed distribution.

    Args:
        name: what users type after `llmeval`.
        location: where its click command is defined, `module:attribute`.
        distribution: which distribution announces it.
    """

    name: str
    location: str
    distribution: str

    def summary(self) -> str:
        """Return its line of help, from the source of its function; without one, whose it is."""
        return _first_sentence(_docstring(self.location)) or f"A command of {self.distribution}."


def announced_commands(disabled: Iterable[str] = ()) -> dict[str, AnnouncedCommand]:
    """Find the commands of installed plugins, by name, sorted.

    Args:
        disabled: plugins to be left alone, as `NAME` or `DISTRIBUTION:NAME`. The commands of a
            distribution are left out if all of its plugins are.
    """
    off = set(disabled)
    found: dict[str, AnnouncedCommand] = {}
    for distribution, groups in _distributions():
        plugins = groups.get(PLUGINS_GROUP, {})
        if all({name, f"{distribution}:{name}"} & off for name in plugins):
            continue
        for name, location in groups.get(COMMANDS_GROUP, {}).items():
            found.setdefault(name, AnnouncedCommand(name, location, distribution))
    return dict(sorted(found.items()))


def _distributions() -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """Read the entry points of each distribution that announces commands, by group and name.

    Of two distributions with one name the first on the path counts, as it does for Python.
    """
    seen: set[str] = set()
    for folder in dict.fromkeys(sys.path):
        try:
            names = [entry.name for entry in os.scandir(folder or ".")]
        except OSError:  # a zip file, or a folder that is not there
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            stem = name.rpartition(".")[0]
            distribution = stem.partition("-")[0]
            key = re.sub(r"[-_.]+", "-", distribution).lower()
            if key in seen:
                continue
            seen.add(key)
            try:
                with open(os.path.join(folder, name, _FILE), "rb") as file:
                    content = file.read()
                if _HEADER in content:
                    yield key, _groups(content.decode())
            except (OSError, UnicodeDecodeError):
                continue


def _groups(text: str) -> dict[str, dict[str, str]]:
    """Parse `entry_points.txt`; a line that is none is passed over."""
    groups: dict[str, dict[str, str]] = {}
    group = groups.setdefault("", {})
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = groups.setdefault(line[1:-1].strip(), {})
        elif "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            group.setdefault(name.strip(), value.strip())
    return groups


def _docstring(location: str) -> str:
    """Read the docstring of a function from the source of its module, else that of the module."""
    module, _, attribute = location.partition(":")
    try:
        path = _source(module)
        tree = None
        if path is not None:
            with open(path, "rb") as file:
                tree = ast.parse(file.read())
    except (OSError, ValueError, SyntaxError, ImportError):
        return ""
    if tree is None:
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == attribute:
            return ast.get_docstring(node) or ""
    return ast.get_docstring(tree) or ""


def _source(module: str) -> str | None:
    """Find a module's file; only its top-level package is looked up, which imports nothing."""
    top, *inner = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    if not inner:
        return spec.origin
    for folder in spec.submodule_search_locations or ():
        base = os.path.join(folder, *inner)
        for path in (f"{base}.py", os.path.join(base, "__init__.py")):
            if os.path.isfile(path):
                return path
    return None


def _first_sentence(text: str) -> str:
    """Take the first sentence of the first paragraph, as click does for its lists."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    sentence, stop, _ = paragraph.partition(". ")
    return sentence + "." if stop else paragraph
