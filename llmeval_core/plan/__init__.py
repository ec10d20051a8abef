"""A run with every name resolved: what the engine gets, and nothing is looked up after it."""

from llmeval_core.plan.planned_models import PlannedModel, PlannedRole, in_turn, is_asked_here
from llmeval_core.plan.planned_run import Plan, PlannedEvaluation, PlannedTracker
from llmeval_core.plan.planned_tasks import (
    PlannedGroup,
    PlannedMetric,
    PlannedPrompt,
    PlannedSolver,
    PlannedTask,
)

__all__ = [
    "Plan",
    "PlannedEvaluation",
    "PlannedGroup",
    "PlannedMetric",
    "PlannedModel",
    "PlannedPrompt",
    "PlannedRole",
    "PlannedSolver",
    "PlannedTask",
    "PlannedTracker",
    "in_turn",
    "is_asked_here",
]
