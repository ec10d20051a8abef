"""What the JSON Schema of a plugin's settings says of one value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]  # Any: JSON Schema


def property_of(schema: Schema, name: str) -> Schema:
    """Return the schema of a setting; empty if there is none."""
    found: Schema = schema.get("properties", {}).get(name, {})
    return found


def alternatives(part: Schema, root: Schema, depth: int = 0) -> list[Schema]:
    """List the schemas of a value: the part, the schema it refers to, and its alternatives."""
    if depth > 10:
        return []
    found = [part]
    if "$ref" in part:
        name = str(part["$ref"]).rpartition("/")[2]
        found += alternatives(root.get("$defs", {}).get(name, {}), root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        for one in part.get(key, ()):
            found += alternatives(one, root, depth + 1)
    return found


def value_inside(parts: list[Schema], name: str) -> Schema:
    """Return the schema of a value in a mapping."""
    found = []
    for part in parts:
        inner = part.get("properties", {}).get(name, part.get("additionalProperties"))
        if isinstance(inner, Mapping):
            found.append(inner)
    return {"anyOf": found}
