"""What this distribution offers: MLflow's pages, a diagnosis, and lines for the doctor."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from llmeval_core.hooks import Check, CheckOutcome, Route, RouteContext, hookimpl
from llmeval_mlflow_proxy.embedded.store import find_store
from llmeval_mlflow_proxy.locations import ArtifactRoots
from llmeval_mlflow_proxy.settings import (
    DIAGNOSIS_PREFIX,
    MLFLOW_PREFIX,
    ProxySettings,
    read_settings,
)
from llmeval_mlflow_proxy.upstream import Fixed, Source, Upstream


@hookimpl
def llmeval_register_routes() -> Iterable[Route]:
    """Offer MLflow's pages, the diagnosis, and the pages that `LLMEVAL_PROXIES` names."""
    settings = read_settings(os.environ)
    sources: list[Source] = []

    def source() -> Source:  # both applications speak of the same server
        if not sources:
            sources.append(_mlflow_source(settings))
        return sources[0]

    yield Route(
        MLFLOW_PREFIX,
        lambda site: _mlflow_app(settings, source(), site),
        "MLflow's own pages, and its API for MLflow clients",
        title="MLflow",
    )
    yield Route(
        DIAGNOSIS_PREFIX,
        lambda site: _diagnosis_app(settings, source(), site),
        "what works between llmeval and MLflow, and what to do about the rest",
        title="Diagnosis",
        model_path=f"{DIAGNOSIS_PREFIX}/run?model={{model}}",
    )
    for prefix, upstream in settings.others.items():
        name = prefix.rpartition("/")[2].removeprefix("proxy-")
        yield Route(
            prefix,
            partial(_other_app, settings, upstream, name),
            f"the pages of {upstream.url}",
            title=name,
        )


@hookimpl
def llmeval_register_checks() -> Iterable[Check]:
    """Offer what the diagnosis finds, in short."""
    yield Check("MLflow pages", partial(_check, "pages"))
    yield Check("MLflow runs", partial(_check, "runs"))
    yield Check("MLflow speed", partial(_check, "speed"))


def _check(topic: Literal["pages", "runs", "speed"], home: Path) -> CheckOutcome:
    from llmeval_mlflow_proxy.checks import check  # noqa: PLC0415  aiohttp is heavy

    return check(topic, home, os.environ)


def _mlflow_source(settings: ProxySettings) -> Source:
    from llmeval_mlflow_proxy.embedded.server import EmbeddedServer  # noqa: PLC0415  aiohttp

    if settings.mlflow is None:
        return EmbeddedServer(settings.store)
    return Fixed(settings.mlflow)


def _mlflow_app(settings: ProxySettings, source: Source, site: RouteContext) -> Any:
    from llmeval_mlflow_proxy.proxy import Proxy  # noqa: PLC0415  aiohttp is heavy
    from llmeval_mlflow_proxy.refused import MlflowRules  # noqa: PLC0415

    return Proxy(
        source,
        site.home,
        name="MLflow",
        rules=MlflowRules(_artifact_roots(settings, site)),
        allowed_origins=settings.allowed_origins,
        diagnosis=DIAGNOSIS_PREFIX,
    )


def _artifact_roots(settings: ProxySettings, site: RouteContext) -> ArtifactRoots:
    """Say where artifacts may lie: in what was set, and in the embedded server's own folder."""
    own = []
    if settings.mlflow is None:
        folder = find_store(settings.store, home=site.home).artifacts
        own = [str(folder), str(folder.resolve())]
    return ArtifactRoots.of([*settings.artifact_roots, *own])


def _diagnosis_app(settings: ProxySettings, source: Source, site: RouteContext) -> Any:
    from llmeval_mlflow_proxy.diagnosis.app import DiagnosisApp  # noqa: PLC0415  aiohttp

    return DiagnosisApp(source, settings, site)


def _other_app(settings: ProxySettings, upstream: Upstream, name: str, site: RouteContext) -> Any:
    from llmeval_mlflow_proxy.proxy import Proxy  # noqa: PLC0415  aiohttp is heavy
    from llmeval_mlflow_proxy.refused import NoRules  # noqa: PLC0415

    return Proxy(
        Fixed(upstream),
        site.home,
        name=name,
        rules=NoRules(),
        allowed_origins=settings.allowed_origins,
    )
