"""The catalogue: the components that plugins offer, and the schemas of their settings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from llmeval_core.api import (
    KINDS,
    Kind,
    RegisteredComponent,
    UnknownNameError,
    component_example,
    run_file_schema,
    settings_schema,
)
from llmeval_server.context import ServerContext
from llmeval_server.job_errors import UnknownRecordError
from llmeval_server.rest_api.openapi_errors import errors
from llmeval_server.rest_api.prefix import API


class ComponentSummary(BaseModel):
    """One component of the catalogue."""

    model_config = ConfigDict(frozen=True)

    name: str
    summary: str
    distribution: str = Field(description="The installed distribution with its version.")
    argument: str | None = Field(description="The setting that `name:ARGUMENT` fills.")


class ComponentDetail(ComponentSummary):
    """One component with its settings."""

    example: str = Field(description="A few lines of a run file.")
    settings: dict[str, Any] = Field(description="JSON Schema.")  # Any: JSON


class CatalogueBody(BaseModel):
    """All components, by kind."""

    model_config = ConfigDict(frozen=True)

    datasets: tuple[ComponentSummary, ...]
    models: tuple[ComponentSummary, ...]
    metrics: tuple[ComponentSummary, ...]
    trackers: tuple[ComponentSummary, ...]
    executors: tuple[ComponentSummary, ...]


def catalogue_router(context: ServerContext) -> APIRouter:
    """Make the routes of the catalogue."""
    router = APIRouter(prefix=API, tags=["catalogue"])
    catalog = context.session.catalog

    @router.get("/catalogue", summary="List all components", responses=errors())
    def catalogue() -> CatalogueBody:
        """List data sets, model providers, metrics, trackers and executors."""
        return CatalogueBody.model_validate(
            {kind: [_summary(one) for one in catalog.components(kind)] for kind in KINDS}
        )

    @router.get("/catalogue/{kind}/{name}", summary="Show a component", responses=errors(404, 422))
    def show_component(kind: Kind, name: Annotated[str, Path(max_length=200)]) -> ComponentDetail:
        """Return a component with an example and the JSON Schema of its settings."""
        try:
            found = catalog.find(kind, name)
        except UnknownNameError as err:
            raise UnknownRecordError(err.what, hint=err.hint) from err
        schema = settings_schema(found)
        return ComponentDetail(
            **_summary(found).model_dump(),
            example=component_example(kind, found, schema),
            settings=schema,
        )

    @router.get("/schema", summary="The run file's schema", responses=errors())
    def schema() -> dict[str, Any]:  # Any: JSON
        """Return the JSON Schema of the run file, with the settings of all components."""
        return run_file_schema(catalog)

    return router


def _summary(found: RegisteredComponent) -> ComponentSummary:
    return ComponentSummary(
        name=found.component.name,
        summary=found.component.summary,
        distribution=found.distribution,
        argument=found.component.argument,
    )
