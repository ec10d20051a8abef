"""How much a query may ask for: as many values, and as long ones, as a person can mean."""

from __future__ import annotations

from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_server.security.places import Places
from llmeval_server.security.refusing import RefusedError
from llmeval_server.settings import variable_of

LONGEST_VALUE = 2000
"""Most characters of one value: a path or a name of anything is shorter."""


class QueryLimit:
    """Refuses queries with too many values, or too long ones; those of plugin routes pass.

    Args:
        app: what is behind.
        places: which requests are for plugin routes.
        most: the largest number of values.
    """

    def __init__(self, app: ASGIApp, *, places: Places, most: int) -> None:
        self._app = app
        self._places = places
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_ours = scope["type"] == "http" and not self._places.plugin_prefix(scope)
        if is_ours and scope["query_string"]:
            self._check(scope["query_string"].decode("latin-1"))
        await self._app(scope, receive, send)

    def _check(self, query: str) -> None:
        n_values = query.count("&") + 1
        if n_values > self._most:
            raise RefusedError(
                422,
                f"the query has {n_values:,} values; at most {self._most:,} are allowed",
                where="query",
                hint=f"ask for fewer at once; {variable_of('max_query_values')} on the server "
                "allows more",
            )
        for pair in query.split("&"):
            name, _, value = pair.partition("=")
            if max(len(unquote_plus(name)), len(unquote_plus(value))) > LONGEST_VALUE:
                raise RefusedError(
                    422,
                    f"a value of the query has more than {LONGEST_VALUE:,} characters",
                    where=f"query.{unquote_plus(name)[:40]}",
                    hint="names of models, tasks and metrics are shorter",
                )
