"""Renders pages from templates: language, links below the root path, the menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from llmeval_core.api import join_names
from llmeval_core.hooks import Route
from llmeval_server.pages import formatting
from llmeval_server.pages.outcome_texts import COUNT_TEXTS, OUTCOME_TEXTS
from llmeval_server.pages.page_languages import COOKIE, Language, language_of, load_languages

_A_YEAR_S = 365 * 24 * 3600


class Renderer:
    """Renders templates into responses.

    Args:
        routes: the plugin routes, for the menu and for links to models.
        has_login: whether there is a logout button.
    """

    def __init__(self, routes: Sequence[Route], *, has_login: bool) -> None:
        self._routes = routes
        self._has_login = has_login
        self._languages = load_languages()
        self._version = version("llmeval-server")
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("llmeval_server.pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            number=formatting.number,
            count=formatting.count,
            score=formatting.score,
            rate=formatting.rate,
            moment=formatting.moment,
            minute=formatting.minute,
            listed=join_names,
            foreign=formatting.foreign,
        )
        self._templates.globals.update(outcome_texts=OUTCOME_TEXTS, count_texts=COUNT_TEXTS)

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        live_s: float | None = None,
        **values: Any,  # Any: values of the template
    ) -> Response:
        """Render a page.

        Args:
            request: the request.
            template: the file's name.
            status: the HTTP status.
            live_s: how often the page is refreshed, seconds; None for never.
            values: the template's own values, besides those that all templates get.
        """
        language = self.language_of(request)
        text = self._templates.get_template(template).render(
            t=language.text,
            duration=partial(formatting.duration, language=language),
            language=language.code,
            languages=self._languages,
            url=partial(link, request),
            with_query=partial(_with_query, request),
            path=_path(request),
            version=self._version,
            live_s=live_s,
            has_login=self._has_login,
            menu=[(route.title, route.prefix) for route in self._routes if route.title],
            **values,
        )
        response = HTMLResponse(text, status)
        response.headers["Vary"] = "Accept-Language, Cookie"
        if request.query_params.get("lang") == language.code:
            response.set_cookie(
                COOKIE,
                language.code,
                max_age=_A_YEAR_S,
                path=request.scope.get("root_path") or "/",
                samesite="lax",
            )
        return response

    def language_of(self, request: Request) -> Language:
        """Return the language of the reader."""
        return language_of(request, self._languages)

    def model_link(self, request: Request) -> Callable[[str], str | None]:
        """Return a function that links a model to its run in a tracker's pages; None for no link.

        It uses the first route that has such pages.
        """
        path = next((r.model_path for r in self._routes if r.model_path), None)

        def link_of(model: str) -> str | None:
            if path is None:
                return None
            return link(request, path.replace("{model}", quote(model, safe="")))

        return link_of


def link(request: Request, path: str, **query: object) -> str:
    """Return a link to a path of the site; None and empty values are left out of the query."""
    given = {key: value for key, value in query.items() if value not in (None, "", ())}
    text = urlencode(given, doseq=True, quote_via=quote)
    return f"{request.scope.get('root_path', '')}{path}{'?' + text if text else ''}"


def redirect(request: Request, path: str) -> Response:
    """Redirect the browser to a path of the site, with GET."""
    return RedirectResponse(link(request, path), 303)


def _path(request: Request) -> str:
    """Return the path below the root, safe in a link: `//name/` would be another server."""
    root = request.scope.get("root_path", "")
    path = str(request.scope["path"]).removeprefix(root)
    return "/" + quote(path.lstrip("/"))


def _with_query(request: Request, **changes: object) -> str:
    """Return a link to this page with some parameters changed."""
    query: dict[str, object] = {
        key: request.query_params.getlist(key) for key in request.query_params if key != "lang"
    }
    return link(request, _path(request), **{**query, **changes})
