"""A client for the API of a running MLflow server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from llmeval_core.hooks import Json
from llmeval_mlflow_proxy.http_client import new_session, tls_of
from llmeval_mlflow_proxy.upstream import Upstream

API = "/api/2.0/mlflow"
_TOTAL_S = 15.0


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response of MLflow's.

    Args:
        status: the HTTP status.
        text: the body.
        location: the target of a redirect; None if it is none.
    """

    status: int
    text: str
    location: str | None = None

    @property
    def content(self) -> Mapping[str, Any]:
        """Return the JSON object; empty if the text is none. Any: MLflow's JSON."""
        try:
            content = json.loads(self.text)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


@dataclass(frozen=True, slots=True)
class MlflowApi:
    """Sends requests to one server."""

    upstream: Upstream
    session: aiohttp.ClientSession
    tls: Any  # Any: aiohttp takes a context or a bool

    async def get(self, path: str, **headers: str) -> ApiResponse:
        """Get a path below the server's URL.

        Raises:
            aiohttp.ClientError, TimeoutError: there is no response.
        """
        return await self._request("GET", path, None, headers)

    async def post(self, path: str, body: Mapping[str, Json], **headers: str) -> ApiResponse:
        """Post JSON to a path below the server's URL; raises as `get`."""
        return await self._request(
            "POST", path, body, {"Content-Type": "application/json", **headers}
        )

    async def _request(
        self, method: str, path: str, body: Mapping[str, Json] | None, headers: Mapping[str, str]
    ) -> ApiResponse:
        login = self.upstream.authorization
        sent = {"Host": self.upstream.host, **headers}
        if login:
            sent["Authorization"] = login
        async with self.session.request(
            method,
            URL(self.upstream.url + path, encoded=True),
            data=None if body is None else json.dumps(body).encode(),
            headers=sent,
            allow_redirects=False,
            ssl=self.tls,
        ) as response:
            text = (await response.read()).decode("utf-8", "replace")
            return ApiResponse(response.status, text, response.headers.get("Location"))


@asynccontextmanager
async def open_mlflow_api(upstream: Upstream) -> AsyncIterator[MlflowApi]:
    """Open a client with a time limit for each request.

    Raises:
        OSError: the file of certificates cannot be read.
    """
    tls = tls_of(upstream)
    async with new_session(total_s=_TOTAL_S) as session:
        yield MlflowApi(upstream, session, tls)
