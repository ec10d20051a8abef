"""The run file's JSON Schema, with the settings of every plugin composed into it."""

from __future__ import annotations

import re
from typing import Any

from llmeval_core.api.settings_json_schema import JsonSchema, settings_schema
from llmeval_core.catalog import KINDS, Catalog, Kind, RegisteredComponent
from llmeval_core.config import RunConfig
from llmeval_core.errors import PluginError

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ENV_REFERENCE = "EnvReference"
_OWN_KEYS = {
    "datasets": "ComponentConfig",
    "tasks": "ComponentConfig",
    "solvers": "ComponentConfig",
    "tools": "ComponentConfig",
    "metrics": "ComponentConfig",
    "executors": "ComponentConfig",
    "trackers": "TrackerConfig",
    "models": "ModelConfig",
}
"""By kind, the model with the keys that stand beside a plugin's own settings."""


def run_file_schema(catalog: Catalog) -> JsonSchema:
    """Return the schema, draft 2020-12.

    A component is written as text (`name`, `name:argument`) or as a mapping with `use`; a setting
    that is no text may also be text with `${NAME}`.
    """
    schema = RunConfig.model_json_schema()
    definitions: dict[str, JsonSchema] = schema["$defs"]
    own = {kind: definitions[name] for kind, name in _OWN_KEYS.items()}
    for kind in KINDS:
        definitions[kind] = _any_of(kind, catalog, own[kind], definitions)
    for name in set(_OWN_KEYS.values()):
        del definitions[name]
    definitions[_ENV_REFERENCE] = {
        "type": "string",
        "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}",
        "description": "Taken from an environment variable.",
    }
    definitions["TaskConfig"]["oneOf"] = [{"required": ["dataset"]}, {"required": ["task"]}]
    task = definitions["TaskConfig"]["properties"]
    for key, kind in (("dataset", "datasets"), ("task", "tasks"), ("solver", "solvers")):
        del task[key]["anyOf"], task[key]["default"]
        task[key] |= {"$ref": f"#/$defs/{kind}"}
    for pattern in schema["properties"]["roles"]["patternProperties"]:
        schema["properties"]["roles"]["patternProperties"][pattern] = {"$ref": "#/$defs/models"}
    schema["properties"]["roles"]["additionalProperties"] = False
    listed = task["shots"]["anyOf"][0]
    task["shots"]["anyOf"].insert(1, listed["items"])
    for properties in (task, schema["properties"]):
        _refer(properties["metrics"]["anyOf"][0], "metrics")
    _refer(schema["properties"]["models"], "models")
    _refer(schema["properties"]["trackers"], "trackers")
    schema["properties"]["executor"]["anyOf"][0] = {"$ref": "#/$defs/executors"}
    return {"$schema": DRAFT, **schema, "title": "llmeval run file"}


def _refer(array: JsonSchema, kind: Kind) -> None:
    array["items"] = {"$ref": f"#/$defs/{kind}"}


def _any_of(
    kind: Kind, catalog: Catalog, own: JsonSchema, definitions: dict[str, JsonSchema]
) -> JsonSchema:
    """Compose everything of one kind: the short forms first, then a mapping for each component."""
    choices: list[JsonSchema] = []
    names: list[str] = []
    for registered in catalog.components(kind):
        key = f"{kind}.{registered.component.name}"
        settings = _settings(registered, f"#/$defs/{key}.{{model}}")
        for name, definition in settings.pop("$defs", {}).items():
            definitions[f"{key}.{name}"] = definition
        choices += _model_forms(registered, settings, own) if kind == "models" else []
        if kind != "models":
            choices += _component_forms(registered, settings, own)
            names += [] if settings.get("required") else [registered.component.name]
    short = [{"enum": sorted(set(names))}] if names else []
    return {"anyOf": [*short, *choices]} if short or choices else {"not": {}}


def _component_forms(
    registered: RegisteredComponent, settings: JsonSchema, own: JsonSchema
) -> list[JsonSchema]:
    """Give the forms of one component: a mapping, and with an argument also after a colon."""
    component = registered.component
    forms = [_mapping(registered, settings, own, {"use": {"const": component.name}})]
    if component.argument is not None:
        pattern = f"^{re.escape(component.name)}:"
        required = [name for name in settings.get("required", ()) if name != component.argument]
        given = {**settings, "required": required}
        forms.append(
            _mapping(registered, given, own, {"use": {"type": "string", "pattern": pattern}})
        )
        if not required:
            text = {"type": "string", "pattern": pattern, "description": component.summary}
            forms.append(text)
    return forms


def _model_forms(
    registered: RegisteredComponent, settings: JsonSchema, own: JsonSchema
) -> list[JsonSchema]:
    """Give the forms of a provider: `provider/model`, a mapping, a mapping with `provider`."""
    name = {"type": "string", "pattern": f"^{re.escape(registered.component.name)}/."}
    others = {**own, "properties": {**own["properties"]}}
    del others["properties"]["provider"]
    forms = [_mapping(registered, settings, others, {"name": name})]
    forms.append(
        _mapping(registered, settings, own, {"provider": {"const": registered.component.name}})
    )
    if not settings.get("required"):
        forms.append({**name, "description": registered.component.summary})
    return forms


def _mapping(
    registered: RegisteredComponent,
    settings: JsonSchema,
    own: JsonSchema,
    fixed: dict[str, JsonSchema],
) -> JsonSchema:
    """Lay our own keys over a plugin's settings; `fixed` are those that name the component."""
    properties: dict[str, Any] = {  # Any: JSON
        name: _or_env(part) for name, part in settings.get("properties", {}).items()
    }
    for name, part in own["properties"].items():
        properties[name] = part | fixed.get(name, {})
    required = {*settings.get("required", ()), *own.get("required", ()), *fixed}
    return {
        "type": "object",
        "description": f"{registered.component.summary} ({registered.distribution})",
        "properties": properties,
        "required": sorted(required),
        "additionalProperties": settings.get("additionalProperties", False),
    }


def _settings(registered: RegisteredComponent, ref_template: str) -> JsonSchema:
    """Return a component's settings; anything goes if the plugin cannot say what it takes."""
    try:
        return settings_schema(registered, ref_template)
    except PluginError:
        return {"additionalProperties": True}


def _or_env(part: JsonSchema) -> JsonSchema:
    """Accept `${NAME}` where a setting is not text; its description and default stay outside."""
    if any(_is_any_text(one) for one in (part, *part.get("anyOf", ()))):
        return part
    outside: JsonSchema = {}
    inside: JsonSchema = {}
    for key, value in part.items():
        (outside if key in ("description", "default", "title") else inside)[key] = value
    return {**outside, "anyOf": [inside, {"$ref": f"#/$defs/{_ENV_REFERENCE}"}]}


def _is_any_text(part: JsonSchema) -> bool:
    return part.get("type") == "string" and not {"enum", "const", "pattern"} & part.keys()
