"""The body of a submit: a run file as YAML or JSON, or JSON with a run file and a name."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from llmeval_core.api import Origin, validate
from llmeval_core.hooks import ConfigError
from llmeval_server.http_error import HttpError

_YAML = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")

EXAMPLE_RUN: dict[str, Any] = {  # Any: JSON
    "models": ["echo/parrot"],
    "tasks": [{"dataset": "commonsense_qa", "limit": 5}],
}
"""A run file that needs no key, and no network except for the data set's package."""

EXAMPLE_YAML = """\
models:
  - echo/parrot
tasks:
  - dataset: commonsense_qa
    limit: 5
"""


class Submission(BaseModel):
    """A run file and the name of the job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: dict[str, Any] | str = Field(  # Any: the run file is checked on its own
        description="The run file: a JSON object, or YAML text. `GET /api/v1/schema` has its "
        "schema."
    )
    name: str | None = Field(
        default=None,
        max_length=200,
        description="The job's name; its models and data sets if left out.",
    )


_RUN_FILE: dict[str, Any] = {  # Any: JSON Schema
    "type": "object",
    "title": "Run file",
    "description": "`GET /api/v1/schema` has its whole schema.",
    "properties": {"models": {"type": "array"}, "tasks": {"type": "array"}},
    "required": ["models", "tasks"],
}

REQUEST_BODY: dict[str, Any] = {  # Any: OpenAPI
    "required": True,
    "content": {
        "application/json": {
            "schema": {"anyOf": [Submission.model_json_schema(), _RUN_FILE]},
            "examples": {
                "file": {"summary": "The run file itself", "value": EXAMPLE_RUN},
                "object": {
                    "summary": "The run file, and a name for the job",
                    "value": {"run": EXAMPLE_RUN, "name": "a first try"},
                },
                "text": {"summary": "The run file as YAML text", "value": {"run": EXAMPLE_YAML}},
            },
        },
        "application/yaml": {
            "schema": {"type": "string"},
            "examples": {"file": {"summary": "The run file itself", "value": EXAMPLE_YAML}},
        },
    },
}


async def read_submission(request: Request) -> Submission:
    """Parse the body of a request.

    Raises:
        HttpError: its content type is not supported.
        ConfigError: it is not valid JSON or text, or not a submission.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if content_type in _YAML:
        try:
            return Submission(run=body.decode("utf-8-sig"))
        except UnicodeDecodeError as err:
            raise ConfigError("the run file is not UTF-8 text", where="body") from err
    if content_type != "application/json":
        raise HttpError(
            415,
            "the body is neither JSON nor YAML",
            hint="send `Content-Type: application/json` or `application/yaml`",
        )
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as err:  # UnicodeDecodeError and JSONDecodeError are such
        raise ConfigError("the body is not JSON", where="body") from err
    if not isinstance(content, dict):
        raise ConfigError("the body is not a JSON object", where="body")
    if "run" not in content and content.keys() & {"models", "tasks"}:
        return Submission(run=content)
    if not isinstance(content.get("run", ""), dict | str):
        raise ConfigError("wrong value: a run file is an object, or YAML text", where="run")
    return validate(Submission, content, origin=Origin())
