"""What a job may name: files, addresses and environment variables; and no secret at all.

Settings are known by the JSON Schema that each plugin gives of them, and by their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from llmeval_core.api import Catalog, Kind, Origin, RegisteredComponent, RunConfig, settings_schema
from llmeval_core.hooks import ComponentConfig, ConfigError
from llmeval_server.errors import ForbiddenError
from llmeval_server.jobs.allowed_urls import AllowedUrls
from llmeval_server.jobs.data_folders import DataFolders
from llmeval_server.settings import ServerSettings

KNOWN_VARIABLES = frozenset({"OPENAI_API_KEY"})
"""What our own providers take from the environment anyway."""

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_AROUND_REFERENCE = re.compile(r"[A-Za-z]*\s?")
_PATH_FORMATS = {"path", "file-path", "directory-path", "path-or-name"}
_URL_FORMATS = {"uri", "url", "uri-reference", "iri"}
_PATH_NAME = re.compile(r"(?i)(^|_)(path|file|folder|dir|directory)s?$")
_URL_NAME = re.compile(r"(?i)(url|uri|host|address|endpoint|proxy)s?$")
_SECRET_NAME = re.compile(
    r"(?i)(api[-_]?key|token|password|passwd|secret|credentials?|cookie|authorization)$"
)
_SECRET_GROUPS = {"headers"}
_READS_FILES: frozenset[Kind] = frozenset({"datasets", "models"})
_REACHES_OUT: frozenset[Kind] = frozenset({"models", "trackers", "executors"})

ComponentT = TypeVar("ComponentT", bound=ComponentConfig)
Schema = Mapping[str, Any]  # Any: JSON Schema


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: under which setting of what kind of component, and in which schema."""

    kind: Kind
    name: str
    path: tuple[int | str, ...]
    part: Schema
    root: Schema
    is_secret: bool = False

    def below(self, name: str | int, part: Schema) -> _Place:
        """Go to a value inside; an item of a list keeps the list's name."""
        return _Place(
            self.kind,
            self.name if isinstance(name, int) else name,
            (*self.path, name),
            part,
            self.root,
            self.is_secret or str(name) in _SECRET_GROUPS,
        )


class Confinement:
    """Checks run files of jobs.

    Args:
        settings: what is allowed.
        catalog: knows the settings of every component.
    """

    def __init__(self, settings: ServerSettings, catalog: Catalog) -> None:
        self._catalog = catalog
        self._folders = DataFolders(settings.data_folders, settings.home)
        self._urls = AllowedUrls(settings.model_urls)
        self._variables = KNOWN_VARIABLES | set(settings.job_variables)

    def confine(self, config: RunConfig, origin: Origin) -> RunConfig:
        """Return the run with the real paths of its files.

        Raises:
            ForbiddenError: it names what it may not.
            UnknownNameError, PluginError: as `Catalog.find`.
        """
        models = []
        for index, model in enumerate(config.models):
            if (
                "use" in model.settings
            ):  # it would choose a provider whose settings we don't look at
                raise ConfigError(
                    "unknown key 'use'",
                    where=origin.where("models", index, "use"),
                    hint="name the provider with `provider`",
                )
            provider = model.provider or model.name.partition("/")[0]
            offer = self._catalog.find("models", provider, where=origin.where("models", index))
            settings = self._settings(offer, "models", model.settings, origin, ("models", index))
            models.append(model.model_copy(update=settings))
        tasks = []
        for index, task in enumerate(config.tasks):
            place = ("tasks", index)
            update: dict[str, Any] = {  # Any: two keys of different types
                "dataset": self._component("datasets", task.dataset, origin, (*place, "dataset"))
            }
            if task.metrics is not None:
                update["metrics"] = self._all("metrics", task.metrics, origin, (*place, "metrics"))
            tasks.append(task.model_copy(update=update))
        whole: dict[str, Any] = {"models": tuple(models), "tasks": tuple(tasks)}
        if config.metrics is not None:
            whole["metrics"] = self._all("metrics", config.metrics, origin, ("metrics",))
        if config.trackers:
            whole["trackers"] = self._all("trackers", config.trackers, origin, ("trackers",))
        if config.executor is not None:
            whole["executor"] = self._component("executors", config.executor, origin, ("executor",))
        return config.model_copy(update=whole)

    def _all(
        self,
        kind: Kind,
        components: Iterable[ComponentT],
        origin: Origin,
        path: tuple[int | str, ...],
    ) -> tuple[ComponentT, ...]:
        return tuple(
            self._component(kind, component, origin, (*path, index))
            for index, component in enumerate(components)
        )

    def _component(
        self, kind: Kind, component: ComponentT, origin: Origin, path: tuple[int | str, ...]
    ) -> ComponentT:
        """Confine a component's settings, and the argument after the colon as one of them."""
        name, colon, argument = component.use.partition(":")
        offer = self._catalog.find(kind, name, where=origin.where(*path))
        key = offer.component.argument if colon else None
        settings = component.settings
        if key is not None and key not in settings:
            settings = {key: argument, **settings}
            confined = self._settings(offer, kind, settings, origin, path)
            confined["use"] = f"{name}:{confined.pop(key)}"
        else:
            confined = self._settings(offer, kind, settings, origin, path)
        return component.model_copy(update=confined)

    def _settings(
        self,
        offer: RegisteredComponent,
        kind: Kind,
        settings: Mapping[str, Any],
        origin: Origin,
        path: tuple[int | str, ...],
    ) -> dict[str, Any]:
        """Confine the settings of one component; Any: as in the run file."""
        schema = settings_schema(offer)
        place = _Place(kind, "", path, schema, schema)
        return {
            key: self._value(value, place.below(key, _property(schema, key)), origin)
            for key, value in settings.items()
        }

    def _value(self, value: Any, place: _Place, origin: Origin) -> Any:
        """Check one value and all inside it; Any: as in the run file."""
        parts = _alternatives(place.part, place.root)
        if isinstance(value, Mapping):
            return {
                key: self._value(item, place.below(key, _inner(parts, str(key))), origin)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            items: Schema = {"anyOf": [part["items"] for part in parts if "items" in part]}
            return [
                self._value(item, place.below(index, items), origin)
                for index, item in enumerate(value)
            ]
        formats = {str(part.get("format")) for part in parts}
        where = origin.where(*place.path)
        is_secret = (
            place.is_secret or "password" in formats or bool(_SECRET_NAME.search(place.name))
        )
        if is_secret and value is not None and not isinstance(value, bool):
            self._check_secret(str(value), where)
        if not isinstance(value, str) or is_secret:
            return value
        if _REFERENCE.search(value):
            raise ForbiddenError(
                "an environment variable may stand only where a secret is wanted",
                where=where,
                hint="write the value itself",
            )
        if formats & _PATH_FORMATS or _PATH_NAME.search(place.name):
            return self._path(value, place, where, or_name="path-or-name" in formats)
        is_url = bool(formats & _URL_FORMATS) or bool(_URL_NAME.search(place.name))
        if is_url or (place.kind in _REACHES_OUT and "://" in value):
            self._urls.check(value, default=place.part.get("default"), where=where)
        return value

    def _path(self, value: str, place: _Place, where: str, *, or_name: bool) -> str:
        if place.kind in _READS_FILES:
            return self._folders.find(value, or_name=or_name, where=where)
        raise ForbiddenError(
            f"a job may not choose the '{place.name}' of what it uses to write",
            where=where,
            hint="leave it out: the file is then in the server's own folder",
        )

    def _check_secret(self, value: str, where: str) -> None:
        """Pass `${NAME}` of an allowed variable, perhaps after a word such as `Bearer`."""
        names = _REFERENCE.findall(value)
        if not names or not _AROUND_REFERENCE.fullmatch(_REFERENCE.sub("", value)):
            raise ForbiddenError(
                "a secret stands in the run file",
                where=where,
                hint="write ${NAME}, and set the environment variable NAME where the server runs",
            )
        for name in names:
            if name not in self._variables:
                raise ForbiddenError(
                    f"a job may not use the environment variable {name}",
                    where=where,
                    hint=f"it may use {', '.join(sorted(self._variables))}; "
                    "LLMEVAL_JOB_VARIABLES allows more",
                )


def _property(schema: Schema, name: str) -> Schema:
    found: Schema = schema.get("properties", {}).get(name, {})
    return found


def _alternatives(part: Schema, root: Schema, depth: int = 0) -> list[Schema]:
    """List what a value may be: the part itself, what it refers to, and its alternatives."""
    if depth > 10:
        return []
    found = [part]
    if "$ref" in part:
        name = str(part["$ref"]).rpartition("/")[2]
        found += _alternatives(root.get("$defs", {}).get(name, {}), root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        for one in part.get(key, ()):
            found += _alternatives(one, root, depth + 1)
    return found


def _inner(parts: list[Schema], name: str) -> Schema:
    """Say what a value in a mapping may be."""
    found = []
    for part in parts:
        inner = part.get("properties", {}).get(name, part.get("additionalProperties"))
        if isinstance(inner, Mapping):
            found.append(inner)
    return {"anyOf": found}
