"""From a run file and flags to a plan, for `llmeval run` and `llmeval plan`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from llmeval_core.api import (
    OPENAI_API,
    ConfigError,
    Plan,
    Preflight,
    UnknownNameError,
    component_name,
    make_plan,
    read_config,
    with_file_datasets,
)
from llmeval_core.cli.plugin_session import open_session


def read_plan(
    ctx: click.Context,
    run_file: Path | None,
    flags: Mapping[str, Any],
    preflight: Callable[[], Preflight],
) -> Plan:
    """Read the run file, lay the flags over it, load the plugins, and plan; sends nothing.

    Args:
        ctx: of the command.
        run_file: the file; None for flags alone.
        flags: as `run_options` has them; Any: each of its own type.
        preflight: says how models and trackers are asked whether they could be used; called when
            the flags are known to be right.

    Raises:
        LlmevalError: something in the file or the flags is wrong, or a plugin that is needed.
    """
    try:
        config, origin = read_config(run_file, **flags)
    except ConfigError as err:
        hint = _dataset_hint(ctx, run_file, err)
        if hint is not None:
            err.hint = hint
        raise
    session = open_session(ctx)
    if flags["datasets"]:
        config = with_file_datasets(config, session.catalog)
    try:
        return make_plan(
            config, session.catalog, origin=origin, observer=session.host, preflight=preflight()
        )
    except UnknownNameError as err:
        if flags["base_url"] and "model provider" in err.what and err.hint:
            err.hint += f"; for a server with OpenAI's API, write -m {OPENAI_API}/MODEL"
        raise


def _dataset_hint(ctx: click.Context, run_file: Path | None, err: ConfigError) -> str | None:
    """Say to write -d before what is no run file, and is a data set; None otherwise."""
    if run_file is None or run_file.suffix in (".yaml", ".yml"):
        return None
    name = str(run_file)
    if name not in f"{err.what} {err.where}":  # a flag is wrong
        return None
    catalog = open_session(ctx, tolerant=True).catalog
    known = component_name("datasets", name) in catalog.names("datasets")
    if not known and not (run_file.exists() and catalog.reader_of("datasets", name)):
        return None
    return f"a data set is named with -d: -d {shlex.quote(name)}"
