"""The hooks: which solvers and tools this distribution offers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmeval_core.hooks import Component, Settings, Solver, Tool, hookimpl
from llmeval_solvers.calculator import Calculator
from llmeval_solvers.conversation import ConversationSettings, ScriptedConversation
from llmeval_solvers.self_consistency import SelfConsistency, SelfConsistencySettings
from llmeval_solvers.single import Single
from llmeval_solvers.tool_loop import ToolLoop, ToolLoopSettings


@hookimpl
def llmeval_register_solvers() -> Iterable[Component[Any, Solver]]:  # Any: settings of each its own
    """Offer the solvers."""
    yield Component("single", Settings, lambda _: Single(), "one request, as without a solver")
    yield Component(
        "conversation",
        ConversationSettings,
        ScriptedConversation,
        "a script says what the user says next",
        example="tasks:\n  - dataset: jsonl:mt_bench.jsonl\n    solver: conversation",
    )
    yield Component(
        "self_consistency",
        SelfConsistencySettings,
        SelfConsistency,
        "the most frequent of n answers",
        example="tasks:\n  - dataset: gsm8k\n    solver: {use: self_consistency, n: 5}",
    )
    yield Component(
        "tool_loop",
        ToolLoopSettings,
        ToolLoop,
        "the model calls tools before it answers",
        example="tasks:\n  - dataset: gsm8k\n    solver: {use: tool_loop, tools: [calculator]}",
    )


@hookimpl
def llmeval_register_tools() -> Iterable[Component[Any, Tool]]:  # Any: as above
    """Offer the tools."""
    yield Component("calculator", Settings, lambda _: Calculator(), "evaluates arithmetic")
