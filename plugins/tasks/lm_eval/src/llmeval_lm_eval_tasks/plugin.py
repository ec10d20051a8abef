"""The hook: lm-eval's tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmeval_core.hooks import Component, Task, TaskSource, hookimpl
from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.task_source import LmEvalSource


@hookimpl
def llmeval_register_tasks() -> Iterable[Component[Any, Task | TaskSource]]:
    """Offer lm-eval's tasks; Any: each kind has its own settings."""
    yield Component(
        "lm_eval",
        LmEvalSettings,
        LmEvalSource,
        "lm-eval's 13,000 tasks, and your own in its YAML",
        argument="tasks",
        example="tasks:\n  - task: lm_eval:gsm8k_cot\n  - task: {use: lm_eval, tasks: my_task,"
        " include_path: [my_tasks]}",
    )
