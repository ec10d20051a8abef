"""Models of a plan, evaluated or in a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmeval_core.config import LimitsConfig, PriceConfig
from llmeval_core.contracts import ModelInfo, ModelProvider
from llmeval_core.naming import Json
from llmeval_core.reasoning import Tags
from llmeval_core.records import GenerationSettings


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A model and where to get it.

    Args:
        settings: what people may read of its settings.
        limits: what its server allows.
        price: what its tokens cost; None if that is not known.
        reasoning_tags: as the run file says beside its name; None if it does not.
    """

    name: str
    provider: ModelProvider
    model: str
    info: ModelInfo
    settings: Mapping[str, Json]
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    price: PriceConfig | None = None
    reasoning_tags: Tags | None = None


@dataclass(frozen=True, slots=True)
class PlannedRole:
    """A model that is asked beside the evaluated one, and how it generates."""

    model: PlannedModel
    generation: GenerationSettings


def in_turn(model: PlannedModel, other: PlannedModel) -> bool:
    """Say whether two models can only be asked one after the other: both work in process."""
    return (
        model.info.endpoint is None
        and other.info.endpoint is None
        and (model.name, model.info.cache_key) != (other.name, other.info.cache_key)
    )


def is_asked_here(model: PlannedModel, *, has_executor: bool, has_roles: bool) -> bool:
    """Say whether a model is asked from the process of the run, and not by the executor.

    In a run with roles every model behind a server is: it needs no place of the executor, and who
    waits for its answers may hold the only one.
    """
    return not has_executor or (has_roles and model.info.endpoint is not None)
