"""What an executor of a plugin does wrong is said once, and as its own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from llmeval_core.contracts import Executor
from llmeval_core.errors import PluginError, wrap_plugin_errors
from llmeval_core.generation import LocalExecutor


def executor_boundary(executor: Executor, where: str) -> AbstractContextManager[None]:
    """Turn what an executor of a plugin raises into our error; a bug of our own stays a bug."""
    if type(executor) is LocalExecutor:
        return nullcontext()
    return wrap_plugin_errors(PluginError, "the executor failed", where=where)


def ended_too_early(where: str) -> PluginError:
    """Make the error of an executor that left requests unanswered."""
    return PluginError(
        "the executor ended before every request was answered",
        where=where,
        hint="this is a bug in the plugin; run again to go on",
    )
