"""Whether a model thinks before it answers, and whether its limit leaves room for that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from llmeval_core.engine.past_usage import PastUsage
from llmeval_core.journal import Journal
from llmeval_core.naming import Json
from llmeval_core.plan import Plan, PlannedModel, PlannedTask
from llmeval_core.reasoning import KNOWN_TAGS

MIN_REASONING_TOKENS = 4096
"""Below so many tokens thinking is often cut off before the answer, by what many have reported."""

_REASONING_MODELS = re.compile(
    r"(?:^|[/:_.\s-])"
    r"(?:o[134](?![a-z0-9.])|gpt-?5|gpt-?oss|r1(?![a-z0-9])|deepseek-reasoner|qwq|qvq|qwen-?3"
    r"|magistral|glm-?(?:z1|4\.[5-9]|[5-9])|minimax-m\d|seed-oss|exaone-deep|ernie-[\w.-]*-x\d"
    r"|gemini-(?:2\.5|[3-9])|grok-(?:[4-9]|\d-mini)|marco-o1|skywork-o1|s1(?:\.\d)?-\d+b)"
    r"|thinking|thinker|reasoner|reasoning|open-?thoughts?"
)
_PLAIN_MODELS = re.compile(
    r"non-?(?:thinking|reasoning)|no-?think|without-?think|qwen-?3[\w.-]*(?:instruct|coder|embed)"
    r"|gpt-?5[\w.-]*chat|grok-4[\w.-]*fast|embed|rerank|guard"
)
_SETTINGS = frozenset(
    {
        "reasoning",
        "reasoning_effort",
        "thinking",
        "enable_thinking",
        "include_reasoning",
        "thinking_budget",
        "thinkingbudget",
        "thinking_token_budget",
        "budget_tokens",
        "effort",
        "budget",
    }
)
_SWITCHED_OFF = frozenset({"", "none", "off", "disabled", "false", "0", "no"})


def task_reasoning_warnings(
    model: PlannedModel, task: PlannedTask, usage: PastUsage
) -> tuple[str, ...]:
    """Say what is wrong with how a task leaves room for thoughts; a line each; blocking.

    Args:
        model, task: what would be asked.
        usage: what earlier answers of the model used.
    """
    if task.mode == "loglikelihood":
        return ()
    room = _room_warning(model, task, usage) if _has_little_room(task) else None
    warnings = [room] if room is not None else []
    tag = _asked_for(task)
    if tag is not None:
        warnings.append(
            f"the prompt speaks of {tag}, and what stands in it is taken for reasoning, which is"
            " not judged: if it should be, set reasoning_tags: []"
        )
    return tuple(warnings)


def plan_reasoning_warnings(plan: Plan, journal: Journal) -> list[str]:
    """Warn of each model that thinks and has too little room for it, once, before it is asked."""
    usage, warnings = PastUsage(journal), []
    for evaluation in plan.evaluations:
        tasks = [task for task in evaluation.tasks if task.task is None]
        task = next((task for task in tasks if _has_little_room(task)), None)
        warning = _room_warning(evaluation.model, task, usage) if task is not None else None
        if task is not None and warning is not None:
            warnings.append(f"warning: {task.key}: {warning}")
    return warnings


def _has_little_room(task: PlannedTask) -> bool:
    most = task.generation.max_tokens
    return task.mode != "loglikelihood" and most is not None and most < MIN_REASONING_TOKENS


def _room_warning(model: PlannedModel, task: PlannedTask, usage: PastUsage) -> str | None:
    why = _why_it_reasons(model, task, usage)
    if why is None:
        return None
    return (
        f"{model.name} thinks before it answers ({why}), and"
        f" max_tokens={task.generation.max_tokens} is for both: set generation.max_tokens to"
        f" {MIN_REASONING_TOKENS} or more"
    )


def _asked_for(task: PlannedTask) -> str | None:
    """Name a tag that the prompt itself has, whose content is not judged then."""
    prompt = task.prompt
    texts = (prompt.system, prompt.preamble, prompt.template, prompt.answer)
    written = "\n".join(text for text in texts if text).lower()
    tags = KNOWN_TAGS if task.reasoning_tags is None else task.reasoning_tags
    return next((opening for opening, _ in tags if opening.lower() in written), None)


def _why_it_reasons(model: PlannedModel, task: PlannedTask, usage: PastUsage) -> str | None:
    """Say how it is known that a model thinks: by its settings, earlier answers, or its name."""
    settings = [*_settings(task.settings.get("generation")), *_settings(dict(model.settings))]
    if settings:
        return "its settings say so" if any(settings) else None
    known = usage.of_model(model.name)
    if known is not None and known.n_reasoning_tokens is not None:
        n_tokens = round(known.n_reasoning_tokens)
        return f"{n_tokens:,} tokens an answer so far" if n_tokens else None
    name = model.name.lower()
    return (
        "by its name" if _REASONING_MODELS.search(name) and not _PLAIN_MODELS.search(name) else None
    )


def _settings(value: Json) -> Iterator[bool]:
    """Stream what settings that are about thinking say, wherever they stand."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name.lower() not in _SETTINGS or isinstance(inner, Mapping):
                yield from _settings(inner)
            elif inner is not None:
                yield str(inner).lower() not in _SWITCHED_OFF
            if name.lower() in _SETTINGS and isinstance(inner, Mapping) and "type" in inner:
                yield str(inner["type"]).lower() not in _SWITCHED_OFF
