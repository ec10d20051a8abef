"""What is on offer, and how a RunConfig becomes a Plan."""

from llmeval_core.catalog.catalog import KINDS, Catalog, Kind, RegisteredComponent
from llmeval_core.catalog.plan_making import make_plan, make_trackers, plan_model
from llmeval_core.catalog.public_settings import SECRET_MARK
from llmeval_core.catalog.readiness import Preflight, ReadinessCheck
from llmeval_core.catalog.task_planning import TaskPlanner, shots_of

__all__ = [
    "KINDS",
    "SECRET_MARK",
    "Catalog",
    "Kind",
    "Preflight",
    "ReadinessCheck",
    "RegisteredComponent",
    "TaskPlanner",
    "make_plan",
    "make_trackers",
    "plan_model",
    "shots_of",
]
