"""What a plugin offers, tried out as far as that costs nothing and writes nowhere.

The other checks of this package raise at the first thing that is wrong. This one goes on, and says
of each thing on offer how it stands: `llmeval plugin check` prints it.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import click
from pydantic import ValidationError

from llmeval_core.contracts import (
    Check,
    CheckOutcome,
    CheckState,
    Readiness,
    TaskSource,
    ToolUser,
    TrackerCheck,
)
from llmeval_core.errors import LlmevalError, describe_error, must_propagate
from llmeval_core.hooks import Component, Settings
from llmeval_core.host import COMPONENT_KINDS, Plugin, is_hook, registered_name
from llmeval_core.process_state import contained
from llmeval_core.testing.checking_commands import check_commands
from llmeval_core.testing.checking_datasets import check_dataset
from llmeval_core.testing.checking_metrics import check_metric
from llmeval_core.testing.checking_models import check_model
from llmeval_core.testing.checking_plugins import check_registered, import_s
from llmeval_core.testing.checking_task_sources import check_task_source
from llmeval_core.testing.checking_tasks import check_solver, check_task
from llmeval_core.testing.checking_tools import check_tool
from llmeval_core.testing.offline import offline
from llmeval_core.testing.trial_answers import scorable, trial_answers

MOST_SAMPLES = 100
"""Samples that are read of a data set."""


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """How one thing that a plugin offers stands.

    Args:
        subject: what was tried, such as `metric 'brevity'`.
        state: `ok`; `wrong`: it breaks a promise; `untried`: it was not, or not as a whole.
        detail: what is wrong, or why it was not tried; None if there is nothing to say.
    """

    subject: str
    state: Literal["ok", "wrong", "untried"]
    detail: str | None = None


class Untried(Exception):  # noqa: N818  no error
    """Says why something was not tried."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What may be tried.

    Args:
        models: `provider/model` that may be asked for real, at most four requests each.
        downloads: whether data sets may be downloaded.
        varies: whether metrics may give the same answer another score.
    """

    models: tuple[str, ...] = ()
    downloads: bool = False
    varies: bool = False


async def try_plugin(plugin: Plugin, trial: Trial | None = None) -> list[TrialVerdict]:
    """Try whether a plugin loads, and what it offers, each for itself.

    Nothing that the plugin does ends this.
    """
    if plugin.state != "loaded":
        is_disabled = plugin.state == "disabled"
        told = "it is disabled" if is_disabled else f"it is {plugin.state}: {plugin.reason}"
        return [TrialVerdict("plugin", "untried" if is_disabled else "wrong", told)]
    verdicts = [
        await _verdict(kind, registered, trial or Trial())
        for kind, listed in plugin.registered.items()
        for registered in listed
    ]
    return [_loads(plugin), *_empty_hooks(plugin), *verdicts, *_announces(plugin)]


def _empty_hooks(plugin: Plugin) -> list[TrialVerdict]:
    """Name the hooks that give nothing, as one that returns where it should yield."""
    told = "it registers nothing: is there a `yield` for each thing?"
    return [
        TrialVerdict(f"hook 'llmeval_register_{kind}'", "wrong", told)
        for kind, listed in plugin.registered.items()
        if not listed
    ]


def _announces(plugin: Plugin) -> list[TrialVerdict]:
    """Compare a plugin's commands with those that its distribution announces."""
    try:
        check_commands(plugin.module or "", plugin.registered.get("commands", ()))
    except AssertionError as err:
        return [TrialVerdict("announced commands", "wrong", str(err))]
    return []


def _loads(plugin: Plugin) -> TrialVerdict:
    module = sys.modules.get(plugin.module or "")
    if module is None:
        return TrialVerdict("plugin", "ok")
    if not plugin.registered and not any(is_hook(getattr(module, name)) for name in dir(module)):
        told = f"it has no hook: `{plugin.module}`, to which its entry point leads, defines none"
        return TrialVerdict("plugin", "wrong", told)
    try:
        seconds = import_s(module)
    except AssertionError as err:
        return TrialVerdict("plugin", "wrong", str(err))
    return TrialVerdict("plugin", "ok", None if seconds is None else f"imported in {seconds:.3f} s")


async def _verdict(kind: str, registered: Any, trial: Trial) -> TrialVerdict:
    """Try one thing that a plugin registers; Any: what it is depends on the kind."""
    name = registered_name(registered)
    subject = f"{kind.removesuffix('s')} '{name}'"
    try:
        with contained():
            await _try(kind, registered, trial)
    except Untried as err:
        return TrialVerdict(subject, "untried", str(err))
    except AssertionError as err:
        return TrialVerdict(subject, "wrong", str(err).removeprefix(f"{kind} '{name}': "))
    except BaseException as err:  # plugin boundary: a plugin can do anything
        if must_propagate(err):
            raise
        return TrialVerdict(subject, "wrong", describe_error(err))
    return TrialVerdict(subject, "ok")


async def _try(kind: str, registered: Any, trial: Trial) -> None:
    check_registered(kind, registered)
    if kind in COMPONENT_KINDS:
        await _try_component(kind, registered, trial)
    elif kind == "commands":
        _try_command(registered)
    elif kind == "checks":
        _try_check(registered)


async def _try_component(kind: str, component: Component[Settings, Any], trial: Trial) -> None:
    try:
        made = component.factory(component.config())
    except ValidationError as err:
        needed = ", ".join(str(one["loc"][0]) for one in err.errors() if one["loc"])
        raise Untried(f"it needs settings: {needed}") from err
    except LlmevalError as err:
        raise Untried(err.what) from err
    try:
        await _try_made(kind, component.name, made, trial)
    except LlmevalError as err:
        raise Untried(err.what) from err


async def _try_made(kind: str, name: str, made: Any, trial: Trial) -> None:
    """Try what a factory made; Any: it depends on the kind."""
    if kind == "datasets":
        if hasattr(made, "fetch") and not trial.downloads:
            raise Untried("it is downloaded; `--download` lets it be")
        check_dataset(made, most=MOST_SAMPLES)
    elif kind == "metrics":
        cases = await scorable(made, trial_answers())
        if not cases:
            raise Untried("it can score none of the answers that are made up for this")
        await check_metric(made, cases, varies=trial.varies)
    elif kind == "solvers" and not isinstance(made, ToolUser):
        if not await check_solver(made):
            raise Untried("it can solve none of the samples that are made up for this")
    elif kind == "tasks":
        try:
            await (check_task_source if isinstance(made, TaskSource) else check_task)(made)
        except ValueError as err:  # as `score` may say of answers that it cannot score
            raise Untried(f"it cannot score the answers that are made up for this: {err}") from err
    elif kind == "tools":
        await check_tool(made)
    elif kind == "models":
        await _try_models(name, made, trial)
    elif kind == "trackers":
        _try_tracker(made)
    else:
        raise Untried("it is made, and given no request; its own tests do that")


async def _try_models(provider_name: str, provider: Any, trial: Trial) -> None:
    """Ask the models of a provider that may be asked; Any: a `ModelProvider`."""
    models = [name.partition("/")[2] for name in trial.models if _is_of(name, provider_name)]
    if not models:
        raise Untried(f"`-m {provider_name}/MODEL` lets a model be asked")
    for model in models:
        await check_model(provider, model)


def _is_of(model: str, provider: str) -> bool:
    return model.partition("/")[0] == provider


def _try_tracker(tracker: Any) -> None:
    """Let a tracker look at itself; Any: a `Tracker`. Nothing is delivered: it could be real."""
    if isinstance(tracker, TrackerCheck):
        with tempfile.TemporaryDirectory() as home, offline("check()"):
            found = tracker.check(Path(home))
            assert isinstance(found, Readiness), f"check() gave a {type(found).__name__}"
            assert not list(Path(home).iterdir()), "check() writes files"
    raise Untried("nothing is delivered to it; `check_tracker` in its own tests does that")


def _try_command(command: click.Command) -> None:
    assert command.get_short_help_str(), "it has no help: write a docstring, or `help=`"
    with click.Context(command, info_name=command.name) as context:
        command.get_help(context)


def _try_check(check: Check) -> None:
    with tempfile.TemporaryDirectory() as home:
        outcome = check.run(Path(home))
    assert isinstance(outcome, CheckOutcome), f"it gave a {type(outcome).__name__}"
    states = get_args(CheckState)
    assert outcome.state in states, f"its state is '{outcome.state}', none of {', '.join(states)}"
    assert outcome.detail.strip(), "it says no detail"
    assert outcome.state == "ok" or outcome.hint, "it is not ok, and does not say what to try"
