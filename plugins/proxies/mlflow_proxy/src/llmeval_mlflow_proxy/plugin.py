"""What this distribution offers: MLflow's pages, a diagnosis, and checks."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from llmeval_core.hooks import Check, CheckOutcome, Route, RouteContext, hookimpl
from llmeval_mlflow_proxy.artifact_roots import ArtifactRoots
from llmeval_mlflow_proxy.embedded.backend_store import find_backend_store
from llmeval_mlflow_proxy.settings import (
    DIAGNOSIS_PREFIX,
    MLFLOW_PREFIX,
    ProxySettings,
    read_settings,
)
from llmeval_mlflow_proxy.upstream import FixedUpstream, Upstream, UpstreamProvider


@hookimpl
def llmeval_register_routes() -> Iterable[Route]:
    """Offer MLflow's pages, the diagnosis, and the pages that `LLMEVAL_PROXIES` names."""
    settings = read_settings(os.environ)
    providers: list[UpstreamProvider] = []

    def provider() -> UpstreamProvider:  # both applications share one
        if not providers:
            providers.append(_mlflow_provider(settings))
        return providers[0]

    yield Route(
        MLFLOW_PREFIX,
        lambda context: _mlflow_app(settings, provider(), context),
        "MLflow's own pages, and its API for MLflow clients",
        title="MLflow",
    )
    yield Route(
        DIAGNOSIS_PREFIX,
        lambda context: _diagnosis_app(settings, provider(), context),
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
    """Offer the findings of the diagnosis as checks."""
    yield Check("MLflow pages", partial(_check, "pages"))
    yield Check("MLflow runs", partial(_check, "runs"))
    yield Check("MLflow speed", partial(_check, "speed"))


def _check(topic: Literal["pages", "runs", "speed"], home: Path) -> CheckOutcome:
    from llmeval_mlflow_proxy.diagnosis_checks import check  # noqa: PLC0415  aiohttp is heavy

    return check(topic, home, os.environ)


def _mlflow_provider(settings: ProxySettings) -> UpstreamProvider:
    from llmeval_mlflow_proxy.embedded.embedded_server import EmbeddedServer  # noqa: PLC0415  aiohttp

    if settings.mlflow is None:
        return EmbeddedServer(settings.store)
    return FixedUpstream(settings.mlflow)


def _mlflow_app(settings: ProxySettings, provider: UpstreamProvider, context: RouteContext) -> Any:
    from llmeval_mlflow_proxy.forwarding_policy import MlflowPolicy  # noqa: PLC0415
    from llmeval_mlflow_proxy.proxy import Proxy  # noqa: PLC0415  aiohttp is heavy

    return Proxy(
        provider,
        context.home,
        name="MLflow",
        policy=MlflowPolicy(_artifact_roots(settings, context)),
        allowed_origins=settings.allowed_origins,
        diagnosis=DIAGNOSIS_PREFIX,
    )


def _artifact_roots(settings: ProxySettings, context: RouteContext) -> ArtifactRoots:
    """Return where artifacts may be: what is configured, and the embedded server's own folder."""
    own = []
    if settings.mlflow is None:
        folder = find_backend_store(settings.store, home=context.home).artifacts
        own = [str(folder), str(folder.resolve())]
    return ArtifactRoots.of([*settings.artifact_roots, *own])


def _diagnosis_app(
    settings: ProxySettings, provider: UpstreamProvider, context: RouteContext
) -> Any:
    from llmeval_mlflow_proxy.diagnosis.diagnosis_app import DiagnosisApp  # noqa: PLC0415  aiohttp

    return DiagnosisApp(provider, settings, context)


def _other_app(
    settings: ProxySettings, upstream: Upstream, name: str, context: RouteContext
) -> Any:
    from llmeval_mlflow_proxy.forwarding_policy import AllowAllPolicy  # noqa: PLC0415
    from llmeval_mlflow_proxy.proxy import Proxy  # noqa: PLC0415  aiohttp is heavy

    return Proxy(
        FixedUpstream(upstream),
        context.home,
        name=name,
        policy=AllowAllPolicy(),
        allowed_origins=settings.allowed_origins,
    )
