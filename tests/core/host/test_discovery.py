"""Metadata of anybody in disorder: passed over and named, and everything else works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmeval_core.api.built_in_checks import check_plugins
from llmeval_core.errors import PluginError
from llmeval_core.host import Host, Plugin, load_plugins

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

METRIC = (
    "from llmeval_core.hooks import *\n"
    "@hookimpl\ndef llmeval_register_metrics():\n"
    "    yield Component('{name}', Settings, lambda settings: None, 'a metric')\n"
)
METADATA = b"Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n"
OURS = b"[llmeval]\nodd = odd\n"


def add(
    site: Path, points: bytes | None, metadata: bytes | None = METADATA, name: str = "odd-1.0"
) -> Path:
    """Add a distribution with these files, as they are."""
    info = site / f"{name}.dist-info"
    info.mkdir()
    if metadata is not None:
        (info / "METADATA").write_bytes(metadata)
    if points is not None:
        (info / "entry_points.txt").write_bytes(points)
    return info


def skipped(host: Host) -> list[Plugin]:
    return [plugin for plugin in host.plugins if plugin.state in ("unreadable", "shadowed")]


def named(host: Host, name: str) -> Plugin:
    [found] = [plugin for plugin in host.plugins if plugin.name == name]
    return found


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (b"[console_scripts]\nl\xe9 = json:x\n", "UnicodeDecodeError: 'utf-8' codec can't decode"),
        (b"[llmeval]\nno sign at all\n", "TypeError: "),
        (b"\xff\xfe[\0l\0", "UnicodeDecodeError: "),
        (OURS + b"[other]\n====\nx\n", "TypeError: "),
    ],
    ids=["latin-1", "no sign", "UTF-16", "another section"],
)
def test_entry_points_that_cannot_be_read_stop_nothing_and_are_named(
    points: bytes, reason: str, plugin_folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case h3-bad-metadata-of-anybody."""
    plugin_folder.install("mine", METRIC.format(name="mine"))
    add(plugin_folder.path, points)

    host = load_plugins()

    (odd,) = skipped(host)
    assert (odd.label, odd.state) == ("odd 1.0", "unreadable")
    assert (odd.reason or "").startswith(f"its entry_points.txt cannot be read: {reason}")
    assert [component.name for component, _ in host.components("metrics")] == ["mine"]
    assert check_plugins(host).state == "warning"
    monkeypatch.setenv("LLMEVAL_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match="plugin 'odd' is broken: its entry_points"):
        load_plugins()


@pytest.mark.parametrize(
    ("metadata", "label"),
    [
        (None, "odd 1.0"),
        (b"", "odd 1.0"),
        (b"Metadata-Version: 2.1\nVersion: 2.0\n", "odd 2.0"),
        (b"Name: \xe9\xff\nVersion: 2.0\n", "odd 1.0"),
        (b"Name: caf\xc3\xa9\nVersion: 2.0\n", "café 2.0"),
        (b"\0" * 100, "odd 1.0"),
    ],
    ids=["no METADATA", "empty", "no name", "not UTF-8", "no ASCII", "zeros"],
)
def test_a_plugin_whose_metadata_is_odd_is_loaded_all_the_same(
    metadata: bytes | None, label: str, plugin_folder: PluginFolder
) -> None:
    """Case h3-bad-metadata-of-anybody: its folder tells what its metadata does not."""
    (plugin_folder.path / "odd.py").write_text(METRIC.format(name="odd"), encoding="utf-8")
    plugin_folder.modules.append("odd")
    add(plugin_folder.path, OURS, metadata)

    host = load_plugins()

    assert (named(host, "odd").state, named(host, "odd").label) == ("loaded", label)
    assert [component.name for component, _ in host.components("metrics")] == ["odd"]


def test_a_folder_without_any_file_is_nobodys_trouble(plugin_folder: PluginFolder) -> None:
    add(plugin_folder.path, None, None)

    assert skipped(load_plugins()) == []


def test_a_distribution_that_is_there_twice_is_used_once_and_the_other_is_named(
    plugin_folder: PluginFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case h3-bad-metadata-of-anybody: what an upgrade that was interrupted leaves."""
    plugin_folder.install("mine", METRIC.format(name="mine"), version="2.0")
    later = tmp_path / "later"
    later.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(later)])
    same = b"[llmeval]\nmine = mine\n"
    add(later, same, b"Name: fake-mine\nVersion: 1.0\n", "fake_mine-1.0")

    host = load_plugins()

    (left,) = skipped(host)
    assert (left.label, left.state) == ("fake-mine 1.0", "shadowed")
    assert "it is installed twice; " in (left.reason or "")
    assert named(host, "mine").version == "2.0"
    monkeypatch.setenv("LLMEVAL_STRICT_PLUGINS", "1")
    assert load_plugins().broken == ()


def test_a_plugin_in_a_zip_egg_is_found(
    plugin_folder: PluginFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    egg = tmp_path / "zipped-3.0-py3.11.egg"
    with zipfile.ZipFile(egg, "w") as archive:
        archive.writestr("zipped.py", METRIC.format(name="zipped"))
        archive.writestr("EGG-INFO/PKG-INFO", "Metadata-Version: 2.1\nName: zipped\nVersion: 3.0\n")
        archive.writestr("EGG-INFO/entry_points.txt", "[llmeval]\nzipped = zipped\n")
    (tmp_path / "broken-1.0-py3.11.egg").write_bytes(b"PK no zip file")
    plugin_folder.modules.append("zipped")
    for path in (egg, tmp_path / "broken-1.0-py3.11.egg"):
        monkeypatch.syspath_prepend(str(path))

    host = load_plugins()

    assert (named(host, "zipped").state, named(host, "zipped").label) == ("loaded", "zipped 3.0")


class Breaking:
    """A finder of distributions that breaks."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def find_spec(self, *args: object) -> None:
        return None

    def find_distributions(self, context: object) -> Iterator[object]:
        raise self._error
        yield


def test_a_finder_that_breaks_is_named_and_the_others_are_asked(
    plugin_folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_folder.install("mine", METRIC.format(name="mine"))
    monkeypatch.setattr(sys, "meta_path", [Breaking(SystemExit("no")), *sys.meta_path])

    host = load_plugins()

    (finder,) = skipped(host)
    assert finder.name == "Breaking"
    assert finder.reason == "this finder of distributions broke: SystemExit: no"
    assert named(host, "mine").state == "loaded"


def test_a_file_that_may_not_be_read_is_named(plugin_folder: PluginFolder) -> None:
    """Root reads everything, so the program gives that power up."""
    info = add(plugin_folder.path, OURS)
    (info / "entry_points.txt").chmod(0)
    program = (
        "import ctypes, os, sys\n"
        "for power in (1, 2): ctypes.CDLL(None).prctl(24, power, 0, 0, 0)\n"
        "os.execv(sys.executable, [sys.executable, '-c',"
        " 'from llmeval_core.cli import main; main()', 'plugins', '--json'])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    (odd,) = [plugin for plugin in json.loads(done.stdout) if plugin["name"] == "odd"]
    assert odd["state"] == "unreadable"
    assert "may not be read" in odd["reason"]


def test_every_command_works_beside_metadata_that_cannot_be_read(
    plugin_folder: PluginFolder, work: Path
) -> None:
    """Case h3-bad-metadata-of-anybody: pydantic looks through all of it, too, at its import."""
    plugin_folder.install("capitals")
    add(
        plugin_folder.path,
        b"[console_scripts]\nl\xe9 = json:x\n",
        METADATA.replace(b"odd", b"latin"),
    )

    def llmeval(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from llmeval_core.cli import main; main()", *args],
            env={**os.environ, "COLUMNS": "300"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    plugins = llmeval("plugins")
    run = llmeval("run", "-m", "atlas/any", "-d", "capitals:3", "--quiet")
    doctor = llmeval("doctor")

    assert (plugins.returncode, plugins.stderr) == (0, "")
    assert "\nlatin 1.0 is passed over: its entry_points.txt cannot be read: " in plugins.stdout
    assert (run.returncode, run.stderr) == (0, "")
    assert (doctor.returncode, "latin 1.0" in doctor.stdout) == (0, True)


def test_one_name_twice_in_one_distribution_loads_both(plugin_folder: PluginFolder) -> None:
    for name in ("first", "second"):
        source = METRIC.format(name=name)
        (plugin_folder.path / f"{name}.py").write_text(source, encoding="utf-8")
        plugin_folder.modules.append(name)
    add(plugin_folder.path, b"[llmeval]\nodd = first\nodd = second\n")

    host = load_plugins()

    assert sorted(component.name for component, _ in host.components("metrics")) == [
        "first",
        "second",
    ]
    assert host.broken == ()


def test_one_module_twice_is_loaded_once_and_the_first_keeps_its_hooks(
    plugin_folder: PluginFolder, caplog: pytest.LogCaptureFixture
) -> None:
    source = METRIC.format(name="odd") + (
        "@hookimpl\ndef llmeval_before_run(plan):\n    raise ValueError('I am here')\n"
    )
    (plugin_folder.path / "odd.py").write_text(source, encoding="utf-8")
    plugin_folder.modules.append("odd")
    add(plugin_folder.path, b"[llmeval]\nodd = odd\nagain = odd\n")

    host = load_plugins()
    host.before_run({})

    assert {p.name: p.state for p in host.plugins if p.name in ("odd", "again")} == {
        "again": "loaded",
        "odd": "broken",
    }
    assert "I am here" in caplog.text


def test_one_name_in_two_distributions_can_be_left_alone_in_one(
    plugin_folder: PluginFolder, llmeval: Llmeval
) -> None:
    plugin_folder.install("mine", METRIC.format(name="same"), entry_point="twin")
    plugin_folder.install("yours", METRIC.format(name="same"), entry_point="twin")

    both = load_plugins()
    one = load_plugins(disabled=["fake-yours:twin"])
    listed = json.loads(llmeval("-p", "no:fake-yours:twin", "metrics", "--json").stdout)

    assert [component.name for component, _ in both.components("metrics")] == ["same", "same"]
    assert [plugin.distribution for _, plugin in one.components("metrics")] == ["fake-mine"]
    assert [item["distribution"] for item in listed] == ["fake-mine 1.0"]


BROKEN = "from llmeval_core.hooks import *\nfrom llmeval_core.hooks import hookimpl\n"
IN_HOOK = BROKEN + "@hookimpl\ndef llmeval_register_metrics():\n"
IN_ENTRY = IN_HOOK + "    yield Component('mine', "
HOOK = "hook 'llmeval_register_metrics'"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "class PanicException(BaseException): pass\nraise PanicException(1)",
            "PanicException: 1",
        ),
        ("import pytest\npytest.skip('no', allow_module_level=True)", "Skipped: no"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("import asyncio\nraise asyncio.CancelledError", "CancelledError"),
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
        ("raise BaseExceptionGroup('two', [SystemExit(1)])", "BaseExceptionGroup: two (1 sub-"),
        ("raise RecursionError('deep')", "RecursionError: deep"),
        (IN_HOOK + "    raise GeneratorExit\n    yield", "GeneratorExit"),
        (IN_HOOK + "    return 5", f"{HOOK} gave a int; it yields one thing after another"),
        (IN_HOOK + "    return 'abc'", f"{HOOK} gave a str; it yields one thing after another"),
        (IN_HOOK + "    yield None", f"{HOOK} gave a NoneType, not a Component"),
        (
            IN_HOOK + "    n = 0\n    while True:\n        n += 1\n"
            "        yield Component(str(n), Settings, print, 'x')",
            f"{HOOK} gave more than 10,000 things",
        ),
        (
            IN_HOOK + "    yield from [Component('x', Settings, print, 'x')] * 2",
            f"{HOOK} registers 'x' twice",
        ),
        (IN_ENTRY + "int, print, 'x')", f"{HOOK} gave a Component 'mine' whose config cannot be"),
        (
            IN_ENTRY + "Settings, None, 'x')",
            f"{HOOK} gave a Component 'mine' whose factory cannot be",
        ),
        (
            IN_ENTRY + "Settings, print, None)",
            f"{HOOK} gave a Component 'mine' whose summary cannot",
        ),
        (
            IN_HOOK + "    yield Component(b'x', Settings, print, 'x')",
            f"{HOOK} gave a Component 'b'x'' whose name cannot be b'x'",
        ),
        (
            IN_HOOK + "    yield Component('a/b', Settings, print, 'x')",
            f"{HOOK} gave a Component 'a/b' whose name cannot be 'a/b'",
        ),
        (
            BROKEN + "class Bad(Component):\n"
            "    @property\n    def name(self): raise SystemExit('my name')\n"
            "    @name.setter\n    def name(self, value): pass\n"
            "    def __init__(self): pass\n"
            "@hookimpl\ndef llmeval_register_metrics():\n    yield Bad()",
            "SystemExit: my name",
        ),
        (
            "def llmeval_register_metrics():\n    return []",
            f"{HOOK} lacks @hookimpl, and is never called",
        ),
        (
            "def llmeval_register_metric():\n    return []",
            "hook 'llmeval_register_metric' lacks @hookimpl, and is never called",
        ),
        (
            "def llmeval_after_task(result):\n    pass",
            "hook 'llmeval_after_task' lacks @hookimpl, and is never called",
        ),
    ],
)
def test_whatever_a_plugin_does_at_start_up_it_is_broken_and_the_others_are_not(
    source: str, reason: str, plugin_folder: PluginFolder
) -> None:
    """Case h4-plugin-raises-baseexception."""
    plugin_folder.install("bad", source + "\n")
    plugin_folder.install("mine", METRIC.format(name="mine"))

    host = load_plugins()

    assert (named(host, "bad").state, named(host, "mine").state) == ("broken", "loaded")
    assert (named(host, "bad").reason or "").startswith(reason)


def test_ctrl_c_while_a_plugin_is_imported_is_the_users(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("slow", "raise KeyboardInterrupt\n")

    with pytest.raises(KeyboardInterrupt):
        load_plugins()


MISCHIEF = (
    "import contextlib, os, signal\n"
    "def mischief():\n"
    "    os.chdir('/')\n"
    "    with contextlib.suppress(ValueError):  # not in a thread\n"
    "        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
)
EVERYWHERE = (
    MISCHIEF
    + "from llmeval_core.hooks import *\n"
    + "mischief()\n"
    + "class Moving:\n"
    + "    definition, higher_is_better = 'moving@1', True\n"
    + "    def score(self, sample, generation):\n"
    + "        mischief()\n"
    + "        return Score(1.0)\n"
    + "    def aggregate(self, scores):\n"
    + "        mischief()\n"
    + "        return mean_aggregate(scores)\n"
    + "def make(settings):\n"
    + "    mischief()\n"
    + "    return Moving()\n"
    + "@hookimpl\n"
    + "def llmeval_register_metrics():\n"
    + "    mischief()\n"
    + "    yield Component('moving', Settings, make, 'goes elsewhere')\n"
    + "@hookimpl\n"
    + "def llmeval_before_run(plan):\n"
    + "    mischief()\n"
)


def test_a_plugin_that_goes_elsewhere_takes_nobody_along(
    plugin_folder: PluginFolder, work: Path
) -> None:
    """Of h4: `os.chdir` and signal handlers, at import, in hooks, factories, in every score."""
    plugin_folder.install("capitals")
    plugin_folder.install("moving", EVERYWHERE)
    (work / "eval.yaml").write_text(
        "models: [atlas/any]\nmetrics: [moving]\ntrackers: ['notebook:n.jsonl']\n"
        "tasks: [{dataset: 'capitals:3'}, {dataset: {use: 'capitals:2', name: two}}]\n",
        encoding="utf-8",
    )
    program = (
        "import signal\n"
        "from llmeval_core.cli import main\n"
        "try:\n    main(['run', 'eval.yaml', '--quiet'])\n"
        "finally:\n"
        "    import os\n"
        "    print(os.getcwd(), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"{work} True"
    assert len((work / ".llmeval" / "n.jsonl").read_text(encoding="utf-8").splitlines()) == 2
