"""The policy for jobs: which files, addresses and variables they may name; no secrets, no code.

The kind of a setting is found by the JSON Schema of its plugin, and by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from llmeval_core.api import (
    Catalog,
    Kind,
    ModelConfig,
    Origin,
    RegisteredComponent,
    RunConfig,
    settings_schema,
)
from llmeval_core.hooks import ComponentConfig, ConfigError
from llmeval_server.job_errors import ForbiddenError
from llmeval_server.jobs.allowed_urls import AllowedUrls
from llmeval_server.jobs.data_folders import DataFolders
from llmeval_server.jobs.schema_parts import Schema, alternatives, property_of, value_inside
from llmeval_server.server_settings import ServerSettings

DEFAULT_VARIABLES = frozenset({"OPENAI_API_KEY"})
"""Variables that our own providers read from the environment anyway."""

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_AROUND_REFERENCE = re.compile(r"[A-Za-z]*\s?")
_PATH_FORMATS = {"path", "file-path", "directory-path", "path-or-name"}
_CODE_FORMAT, _FILES_ARE_CODE = "code", "names-or-code"
_CODE_NAME = re.compile(r"(?i)(^|_)(command|cmd|executable|shell|trust_remote_code)$")
_CODE_FILE = re.compile(r"(?i)[/\\]|\.(ya?ml|py)\s*(,|$)")
_URL_FORMATS = {"uri", "url", "uri-reference", "iri"}
_PATH_NAME = re.compile(r"(?i)(^|_)(path|file|folder|dir|directory)s?$")
_URL_NAME = re.compile(r"(?i)(url|uri|host|address|endpoint|proxy)s?$")
_SECRET_NAME = re.compile(
    r"(?i)(api[-_]?key|token|password|passwd|secret|credentials?|cookie|authorization)$"
)
_SECRET_GROUPS = {"headers"}
_READS_FILES: frozenset[Kind] = frozenset({"datasets", "metrics", "models", "tasks"})
_REACHES_OUT: frozenset[Kind] = frozenset({"models", "tools", "trackers", "executors"})
_PARTS_OF_TASKS: Mapping[str, Kind] = {"dataset": "datasets", "task": "tasks", "solver": "solvers"}

ComponentT = TypeVar("ComponentT", bound=ComponentConfig)


@dataclass(frozen=True, slots=True)
class _SettingLocation:
    """The location of a value: the kind of component, the setting, and the part of the schema."""

    kind: Kind
    name: str
    path: tuple[int | str, ...]
    part: Schema
    root: Schema
    is_secret: bool = False

    def child(self, name: str | int, part: Schema) -> _SettingLocation:
        """Return the location of a value inside; an item of a list has the list's name."""
        return _SettingLocation(
            self.kind,
            self.name if isinstance(name, int) else name,
            (*self.path, name),
            part,
            self.root,
            self.is_secret or str(name) in _SECRET_GROUPS,
        )


class JobPolicy:
    """Checks the run files of jobs against the server's settings.

    Args:
        settings: the server's settings.
        catalog: the components and their settings.
    """

    def __init__(self, settings: ServerSettings, catalog: Catalog) -> None:
        self._catalog = catalog
        self._folders = DataFolders(settings.data_folders, settings.home)
        self._urls = AllowedUrls(settings.model_urls)
        self._variables = DEFAULT_VARIABLES | set(settings.job_variables)

    def apply(self, config: RunConfig, origin: Origin) -> RunConfig:
        """Check a run, and return it with the real paths of its files.

        Raises:
            ForbiddenError: it names something that it may not.
            UnknownNameError, PluginError: as `Catalog.find`.
        """
        checked: dict[str, Any] = {  # Any: keys of different types
            "models": self._models(config, origin),
            "tasks": self._tasks(config, origin),
        }
        if config.roles:
            checked["roles"] = {
                role: self._model(model, origin, ("roles", role))
                for role, model in config.roles.items()
            }
        if config.metrics is not None:
            checked["metrics"] = self._all("metrics", config.metrics, origin, ("metrics",))
        if config.trackers:
            checked["trackers"] = self._all("trackers", config.trackers, origin, ("trackers",))
        if config.executor is not None:
            executor = self._component("executors", config.executor, origin, ("executor",))
            checked["executor"] = executor
        return config.model_copy(update=checked)

    def _models(self, config: RunConfig, origin: Origin) -> tuple[BaseModel, ...]:
        return tuple(
            self._model(model, origin, ("models", index))
            for index, model in enumerate(config.models)
        )

    def _model(
        self, model: ModelConfig, origin: Origin, path: tuple[int | str, ...]
    ) -> ModelConfig:
        if "use" in model.settings:  # would select a provider whose settings are unchecked
            raise ConfigError(
                "unknown key 'use'",
                where=origin.where(*path, "use"),
                hint="name the provider with `provider`",
            )
        provider = model.provider or model.name.partition("/")[0]
        registered = self._catalog.find("models", provider, where=origin.where(*path))
        if "weights" in settings_schema(registered).get("properties", {}):
            # Without `weights` the name says them, and may be a folder as well.
            weights = model.name.partition("/")[2]
            self._folders.find(weights, or_name=True, where=origin.where(*path, "name"))
        settings = self._settings(registered, "models", model.settings, origin, path)
        return model.model_copy(update=settings)

    def _tasks(self, config: RunConfig, origin: Origin) -> tuple[BaseModel, ...]:
        tasks = []
        for index, task in enumerate(config.tasks):
            path = ("tasks", index)
            checked: dict[str, Any] = {}  # Any: keys of different types
            for key, kind in _PARTS_OF_TASKS.items():
                component = getattr(task, key)
                if component is not None:
                    checked[key] = self._component(kind, component, origin, (*path, key))
            if task.metrics is not None:
                checked["metrics"] = self._all("metrics", task.metrics, origin, (*path, "metrics"))
            tasks.append(task.model_copy(update=checked))
        return tuple(tasks)

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
        """Check a component's settings, and the argument after the colon as one of them."""
        name, colon, argument = component.use.partition(":")
        registered = self._catalog.find(kind, name, where=origin.where(*path))
        key = registered.component.argument if colon else None
        settings = component.settings
        if key is not None and key not in settings:
            settings = {key: argument, **settings}
            checked = self._settings(registered, kind, settings, origin, path)
            checked["use"] = f"{name}:{checked.pop(key)}"
        else:
            checked = self._settings(registered, kind, settings, origin, path)
        return component.model_copy(update=checked)

    def _settings(
        self,
        registered: RegisteredComponent,
        kind: Kind,
        settings: Mapping[str, Any],
        origin: Origin,
        path: tuple[int | str, ...],
    ) -> dict[str, Any]:
        """Check the settings of one component; Any: as in the run file."""
        schema = settings_schema(registered)
        location = _SettingLocation(kind, "", path, schema, schema)
        return {
            key: self._value(value, location.child(key, property_of(schema, key)), origin)
            for key, value in settings.items()
        }

    def _value(self, value: Any, location: _SettingLocation, origin: Origin) -> Any:
        """Check one value and all values inside it; Any: as in the run file."""
        parts = alternatives(location.part, location.root)
        self._check_code(value, location, parts, origin)
        if isinstance(value, Mapping):
            return {
                key: self._value(item, location.child(key, value_inside(parts, str(key))), origin)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            items: Schema = {"anyOf": [part["items"] for part in parts if "items" in part]}
            return [
                self._value(item, location.child(index, items), origin)
                for index, item in enumerate(value)
            ]
        formats = {str(part.get("format")) for part in parts}
        where = origin.where(*location.path)
        is_secret = (
            location.is_secret or "password" in formats or bool(_SECRET_NAME.search(location.name))
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
        if formats & _PATH_FORMATS or _PATH_NAME.search(location.name):
            return self._path(value, location, where, or_name="path-or-name" in formats)
        is_url = bool(formats & _URL_FORMATS) or bool(_URL_NAME.search(location.name))
        if is_url or (location.kind in _REACHES_OUT and "://" in value):
            self._urls.check(value, default=location.part.get("default"), where=where)
        return value

    def _path(self, value: str, location: _SettingLocation, where: str, *, or_name: bool) -> str:
        if location.kind in _READS_FILES:
            return self._folders.find(value, or_name=or_name, where=where)
        raise ForbiddenError(
            f"a job may not choose the '{location.name}' of what it uses to write",
            where=where,
            hint="leave it out: the file is then in the server's own folder",
        )

    def _check_code(
        self, value: Any, location: _SettingLocation, parts: list[Schema], origin: Origin
    ) -> None:
        """Refuse what has the server run code of the job's choice; Any: as in the run file."""
        formats = {part.get("format") for part in parts}
        is_code = _CODE_FORMAT in formats or bool(_CODE_NAME.search(location.name))
        names_files = isinstance(value, str) and _CODE_FILE.search(value) is not None
        if (is_code and value) or (_FILES_ARE_CODE in formats and names_files):
            raise ForbiddenError(
                f"a job may not choose what this server runs, and '{location.name}' does",
                where=origin.where(*location.path),
                hint="leave it out; who runs the server can run it, and give jobs its address",
            )

    def _check_secret(self, value: str, where: str) -> None:
        """Accept `${NAME}` of an allowed variable, maybe after a word such as `Bearer`."""
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
