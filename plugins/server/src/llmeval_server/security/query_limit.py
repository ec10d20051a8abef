"""Limits on the query of an address: the number of values and their length."""

from __future__ import annotations

from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_server.http_error import HttpError
from llmeval_server.route_classifier import RouteClassifier
from llmeval_server.server_settings import variable_of

LONGEST_VALUE = 2000
"""Most characters of one value; paths and names are shorter."""


class QueryLimitMiddleware:
    """Refuses queries with too many or too long values, except for plugin routes.

    Args:
        app: the application behind.
        classifier: finds plugin routes.
        most: the largest number of values.
    """

    def __init__(self, app: ASGIApp, *, classifier: RouteClassifier, most: int) -> None:
        self._app = app
        self._classifier = classifier
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_ours = scope["type"] == "http" and not self._classifier.plugin_prefix(scope)
        if is_ours and scope["query_string"]:
            self._check(scope["query_string"].decode("latin-1"))
        await self._app(scope, receive, send)

    def _check(self, query: str) -> None:
        n_values = query.count("&") + 1
        if n_values > self._most:
            raise HttpError(
                422,
                f"the query has {n_values:,} values; at most {self._most:,} are allowed",
                where="query",
                hint=f"ask for fewer at once; {variable_of('max_query_values')} on the server "
                "allows more",
            )
        for pair in query.split("&"):
            name, _, value = pair.partition("=")
            if max(len(unquote_plus(name)), len(unquote_plus(value))) > LONGEST_VALUE:
                raise HttpError(
                    422,
                    f"a value of the query has more than {LONGEST_VALUE:,} characters",
                    where=f"query.{unquote_plus(name)[:40]}",
                    hint="names of models, tasks and metrics are shorter",
                )
