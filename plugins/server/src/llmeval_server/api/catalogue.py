"""The catalogue: what plugins offer, and the schemas of their settings and of the run file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from llmeval_core.api import (
    KINDS,
    Kind,
    UnknownNameError,
    example_of,
    run_file_schema,
    settings_schema,
)
from llmeval_server.api.prefix import API
from llmeval_server.api.responses import errors
from llmeval_server.context import ServerContext
from llmeval_server.errors import UnknownRecordError


class Component(BaseModel):
    """One component on offer."""

    model_config = ConfigDict(frozen=True)

    name: str
    summary: str
    distribution: str = Field(description="What was installed, with its version.")
    argument: str | None = Field(description="The setting that `name:ARGUMENT` fills.")


class ComponentDetail(Component):
    """One component with its settings."""

    example: str = Field(description="A few lines of a run file.")
    settings: dict[str, Any] = Field(description="JSON Schema.")  # Any: JSON


class CatalogueBody(BaseModel):
    """Everything on offer, by kind."""

    model_config = ConfigDict(frozen=True)

    datasets: tuple[Component, ...]
    models: tuple[Component, ...]
    metrics: tuple[Component, ...]
    trackers: tuple[Component, ...]
    executors: tuple[Component, ...]


def catalogue_router(context: ServerContext) -> APIRouter:
    """Make the routes of the catalogue."""
    router = APIRouter(prefix=API, tags=["catalogue"])
    catalog = context.session.catalog

    @router.get("/catalogue", summary="What there is to use", responses=errors())
    def catalogue() -> CatalogueBody:
        """List data sets, model providers, metrics, trackers and executors."""
        return CatalogueBody.model_validate(
            {
                kind: [
                    Component(
                        name=offer.component.name,
                        summary=offer.component.summary,
                        distribution=offer.distribution,
                        argument=offer.component.argument,
                    )
                    for offer in catalog.components(kind)
                ]
                for kind in KINDS
            }
        )

    @router.get(
        "/catalogue/{kind}/{name}", summary="One component's settings", responses=errors(404, 422)
    )
    def component(kind: Kind, name: Annotated[str, Path(max_length=200)]) -> ComponentDetail:
        """Show a component with an example and the JSON Schema of its settings."""
        try:
            offer = catalog.find(kind, name)
        except UnknownNameError as err:
            raise UnknownRecordError(err.what, hint=err.hint) from err
        schema = settings_schema(offer)
        return ComponentDetail(
            name=offer.component.name,
            summary=offer.component.summary,
            distribution=offer.distribution,
            argument=offer.component.argument,
            example=example_of(kind, offer, schema),
            settings=schema,
        )

    @router.get("/schema", summary="The run file's schema", responses=errors())
    def schema() -> dict[str, Any]:  # Any: JSON
        """Give the JSON Schema of the run file, with the settings of every plugin in it."""
        return run_file_schema(catalog)

    return router
