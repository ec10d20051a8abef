"""The settings of a component as JSON Schema, and in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic.errors import PydanticUserError
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, GenerateJsonSchema

from llmeval_core.catalog import Kind, RegisteredComponent
from llmeval_core.config import Settings
from llmeval_core.errors import PluginError, describe_error, must_propagate
from llmeval_core.naming import split_reference

JsonSchema = dict[str, Any]  # Any: JSON

_TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false"}


class _Quiet(GenerateJsonSchema):
    """Leaves out a default that JSON cannot say, without a warning."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in words; `default` is None if the setting must be given."""

    name: str
    type: str
    default: str | None
    description: str


def settings_schema(
    registered: RegisteredComponent, ref_template: str = DEFAULT_REF_TEMPLATE
) -> JsonSchema:
    """Return the JSON Schema of what a component can be told in the run file.

    Raises:
        PluginError: the settings class has a field that JSON Schema cannot say, or fails.
    """
    config: type[Settings] = registered.component.config
    try:
        return config.model_json_schema(ref_template=ref_template, schema_generator=_Quiet)
    except BaseException as err:  # plugin boundary: a settings class is foreign code
        if must_propagate(err):
            raise
        reason = err.message if isinstance(err, PydanticUserError) else describe_error(err)
        raise PluginError(
            f"the settings of '{registered.component.name}' have no JSON Schema: {reason}",
            where=registered.distribution,
            hint="this is a bug in the plugin; tell its author",
        ) from err


def settings_in_words(schema: JsonSchema) -> list[Setting]:
    """List the settings of a JSON Schema, in its order."""
    required = schema.get("required", ())
    settings = []
    for name, part in schema.get("properties", {}).items():
        default: str | None = None
        if name not in required:
            value = part.get("default")
            default = json.dumps(value, ensure_ascii=False) if value is not None else ""
        description = part.get("description", "")
        settings.append(Setting(name, type_in_words(part, schema), default, description))
    return settings


def type_in_words(part: JsonSchema, root: JsonSchema) -> str:
    """Say what kind of value a part of a schema accepts: `list of text`, `"a" | "b"`, ..."""
    if "$ref" in part:
        part = root.get("$defs", {}).get(part["$ref"].rpartition("/")[2], {})
    for key in ("anyOf", "oneOf", "allOf"):
        if key in part:
            kinds = [type_in_words(one, root) for one in part[key] if one.get("type") != "null"]
            return " | ".join(dict.fromkeys(kinds))
    values = [part["const"]] if "const" in part else part.get("enum")
    if values is not None:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in values)
    if part.get("type") == "array":
        return f"list of {type_in_words(part.get('items', {}), root)}"
    if part.get("type") == "object":
        inner = part.get("additionalProperties")
        return f"mapping to {type_in_words(inner, root)}" if isinstance(inner, dict) else "mapping"
    return "path" if part.get("format") == "path" else _TYPES.get(str(part.get("type")), "anything")


_IN_RUN_FILE: dict[Kind, str] = {
    "datasets": "tasks:\n  - dataset: {}",
    "tasks": "tasks:\n  - task: {}",
    "solvers": "tasks:\n  - dataset: NAME\n    solver: {}",
    "tools": "tasks:\n  - dataset: NAME\n    solver: {{use: tool_loop, tools: [{}]}}",
    "executors": "executor: {}",
}


def component_example(kind: Kind, registered: RegisteredComponent, schema: JsonSchema) -> str:
    """Return the component's example for the run file, or make one with what must be given."""
    component = registered.component
    if component.example:
        return component.example.rstrip("\n")
    required = [name for name in schema.get("required", ()) if name != component.argument]
    has_argument = component.argument in schema.get("required", ())
    use = f"{component.name}:{str(component.argument).upper()}" if has_argument else component.name
    if kind == "models":
        use = f"{component.name}/MODEL"
    text = use
    if required:
        key = "name" if kind == "models" else "use"
        text = f"{{{key}: {use}, {', '.join(f'{name}: {name.upper()}' for name in required)}}}"
    return _IN_RUN_FILE.get(kind, f"{kind}: [{{}}]").format(text)


def component_name(kind: Kind, text: str) -> str:
    """Take the component's name from `name`, `name:ARGUMENT` or, for models, `name/model`."""
    return text.partition("/")[0] if kind == "models" else split_reference(text)[0]
