"""The task setting `extract`: where in a generation the answer stands."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from llmeval_core.config.settings import Settings
from llmeval_core.naming import Json

ExtractFlag = Literal["ignore_case", "multiline", "dotall"]


def _or_one(schema: dict[str, Any]) -> None:  # Any: JSON
    listed = {key: schema.pop(key) for key in ("type", "items") if key in schema}
    schema["anyOf"] = [listed["items"], listed]


class ExtractRule(Settings):
    """One way to find the answer: by a pattern, in a box, or on the last line."""

    pattern: str | None = Field(
        default=None,
        min_length=1,
        description="A regular expression (Python `re`). The answer is the first group of the "
        "match that is not empty, or the whole match if the pattern has no groups.",
    )
    match: Literal["first", "last"] | int | None = Field(
        default=None,
        description="Which match: first, last, or a number; 1 is the first, -1 the last. "
        "A pattern takes the first if left out, `boxed` the last.",
    )
    flags: tuple[ExtractFlag, ...] = Field(
        default=(),
        description="Flags of the pattern, one or a list; `(?s)` and the like inside it do the "
        "same.",
        json_schema_extra=_or_one,
    )
    groups: Literal["first", "joined"] = Field(
        default="first",
        description="Which groups of the pattern are the answer: the first that is not empty, or "
        "all of them, one after another.",
    )
    boxed: bool = Field(
        default=False, description=r"What stands in `\boxed{...}`, braces balanced."
    )
    last_line: bool = Field(default=False, description="The last line that is not blank.")

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: Any) -> Any:  # Any: pydantic hands over what the file has
        if isinstance(value, dict | ExtractRule):
            return value
        raise ValueError("extract is a pattern, a rule such as {boxed: true}, or a list of them")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        return pattern if pattern is None else checked_pattern(pattern)

    @field_validator("match", mode="before")
    @classmethod
    def _names_a_match(cls, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool) and value != 0
        if value is None or value in ("first", "last") or is_number:
            return value
        raise ValueError("match is first, last, or a number: 1 is the first, -1 the last")

    @field_validator("flags", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_one_way(self) -> ExtractRule:
        ways = (self.pattern is not None) + self.boxed + self.last_line
        if ways != 1:
            raise ValueError("extract takes one of pattern, boxed: true and last_line: true")
        if self.pattern is None and self.flags:
            raise ValueError("flags go with a pattern")
        if self.groups == "joined" and (
            self.pattern is None or not re.compile(self.pattern).groups
        ):
            raise ValueError("groups: joined goes with a pattern that has groups, as in `a(.*)b`")
        if self.last_line and self.match is not None:
            raise ValueError("match goes with a pattern or boxed: true")
        return self


def _kind(value: Any) -> str:  # Any: pydantic hands over what the file has
    if isinstance(value, str):
        return _TEXT
    return _LIST if isinstance(value, list | tuple) else _RULE


# `loading` leaves names like these out of the place that an error names.
_TEXT, _RULE, _LIST = "function-text", "function-rule", "function-list"
_Text = Annotated[str, Field(min_length=1), Tag(_TEXT)]
_Rule = Annotated[ExtractRule, Tag(_RULE)]
_One = Annotated[_Text | _Rule, Discriminator(_kind)]

ExtractConfig = Annotated[
    _Text | _Rule | Annotated[tuple[_One, ...], Field(min_length=1), Tag(_LIST)],
    Discriminator(_kind),
]
"""A pattern as text, a rule, or a list of both: the first that finds something counts."""


def checked_pattern(pattern: str) -> str:
    """Return a pattern that is a regular expression.

    Raises:
        ValueError: it is none.
    """
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as err:
        raise ValueError(f"extract is not a regular expression: {err}") from err
    return pattern


def extract_rules(extract: ExtractConfig) -> tuple[ExtractRule | str, ...]:
    """Return the rules in the order in which they are tried."""
    return extract if isinstance(extract, tuple) else (extract,)


def describe_extract(extract: ExtractConfig | None) -> Json:
    """Return the setting as JSON; settings that find the same are equal."""
    if extract is None:
        return None
    described = [_describe(rule) for rule in extract_rules(extract)]
    return described[0] if len(described) == 1 else described


def _describe(rule: ExtractRule | str) -> Json:
    if isinstance(rule, str):
        return rule
    first = rule.match in (None, "first", 1) if rule.pattern else rule.match in (None, "last", -1)
    if rule.pattern is not None and first and not rule.flags and rule.groups == "first":
        return rule.pattern
    written: dict[str, Json] = rule.model_dump(mode="json", exclude_defaults=True)
    if first:
        written.pop("match", None)
    if rule.flags:
        written["flags"] = [*sorted(set(rule.flags))]
    return written
