"""Which part of the site a request is for: our own, a plugin's, public, static or the API."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope

_PUBLIC = frozenset({"/login", "/logout", "/healthz", "/readyz"})
_STATIC = "/static/"


def route_path(scope: Scope) -> str:
    """Return a request's path below the root path; empty for the root path itself."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :]
    return path


@dataclass(frozen=True, slots=True)
class RouteClassifier:
    """Classifies requests by their path; `prefixes` are those of plugin routes."""

    prefixes: tuple[str, ...]

    def plugin_prefix(self, scope: Scope) -> str | None:
        """Return the prefix of the plugin route that a request is for; None if it is ours."""
        path = route_path(scope)
        for prefix in self.prefixes:
            if path == prefix or path.startswith(f"{prefix}/"):
                return prefix
        return None

    def is_public(self, scope: Scope) -> bool:
        """Whether a request needs no token."""
        return route_path(scope) in _PUBLIC or self.is_static(scope)

    def is_static(self, scope: Scope) -> bool:
        """Whether a request is for a static file of our own pages."""
        return route_path(scope).startswith(_STATIC)

    def is_api(self, scope: Scope) -> bool:
        """Whether a request is for the API, so that errors are JSON and not a page."""
        path = route_path(scope)
        if path == "/api/docs":
            return False
        return path.startswith("/api/") or path in {"/metrics", "/healthz", "/readyz"}
