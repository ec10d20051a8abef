"""llm-jp-eval's data set files, versions 1 and 2, as they are.

Version 1: examples are the first samples of `../train/NAME.json`; the prompt is the
instruction template of that project (llm-jp-eval v1.3.0), which shows input and response under
headings; the answer is what stands before the first empty line.

Version 2 (a file with one of its keys, such as `answer_pattern_id`): see `llm_jp_eval_v2`;
`num_few_shots` examples unless the task says `shots`.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from llmeval_core.hooks import (
    ComponentConfig,
    Dataset,
    DatasetError,
    FewShotConfig,
    GenerationConfig,
    PromptConfig,
    Sample,
    Settings,
    TaskDefaults,
    fingerprint,
)
from llmeval_datasets.files import llm_jp_eval_v2 as version_2
from llmeval_datasets.files.text_files import digest_of, open_text
from llmeval_datasets.rows.fields import FieldSettings
from llmeval_datasets.rows.row_dataset import RowDataset, legal_name
from llmeval_datasets.rows.sample_maker import SampleMaker
from llmeval_datasets.rows.sources import InvalidRow, NumberedRow, RowSource

# In some of these files the right answer is that there is none.
_FIELDS = FieldSettings(input="input", references="output", empty_references="allow")
_log = logging.getLogger("llmeval")

_V1_INTRODUCTION = (
    "以下は、タスクを説明する指示と、文脈のある入力の組み合わせです。"
    "要求を適切に満たす応答を書きなさい。"
)
_METRICS: dict[str, dict[str, str]] = {
    "exact_match": {"use": "exact_match", "normalize": "nfkc"},
    "char_f1": {"use": "char_f1", "definition": "llm-jp-1"},
    "set_f1": {"use": "set_f1"},
    "pearson": {"use": "pearson"},
    "spearman": {"use": "spearman"},
    "bleu_ja": {"use": "bleu", "name": "bleu_ja", "tokenize": "ja-mecab", "level": "mean"},
    "bleu_en": {"use": "bleu", "name": "bleu_en", "level": "mean"},
    "mathematical_equivalence": {"use": "numeric_match"},
}


class LlmJpEvalDataset(RowDataset):
    """A file that says how it is asked, and whether examples have a file of their own.

    Args:
        name: what task keys begin with.
        said: how it is asked, a sentence each.
        train: the file with examples that is missing; None if there is one.
        settings: as for `RowDataset`; Any: of several types.
    """

    def __init__(
        self, name: str, *, said: tuple[str, ...], train: Path | None, **settings: Any
    ) -> None:
        super().__init__(name, **settings)
        self._said = said
        self._missing_train = train

    def notes(self) -> tuple[str, ...]:
        """Say how it is asked."""
        return (*self._said, *super().notes())

    def few_shot_pool(self) -> Iterator[Sample]:
        """Stream samples to take examples from; warn once if they are the evaluated ones."""
        train, self._missing_train = self._missing_train, None
        if train is not None:
            _log.warning(
                "%s: examples are taken from the evaluated file itself, as there is no %s",
                self.name,
                train,
            )
        return super().few_shot_pool()


class LlmJpEvalSettings(Settings):
    """A file of llm-jp-eval's `evaluation/{train,dev,test}/NAME.json`."""

    path: Path = Field(description="The file.")
    few_shot_file: Path | None = Field(
        default=None, description="The file with examples; `../train/NAME.json` if left out."
    )
    answer_pattern: str | None = Field(
        default=None,
        description="Version 2: what the prompt says of the answer's form; what goes with the "
        "file's `answer_pattern_id` if left out.",
    )
    answer_extract_pattern: str | None = Field(
        default=None,
        description="Version 2: what finds the answer, all groups joined; what goes with the "
        "file's `answer_pattern_id` if left out.",
    )


def llm_jp_eval_dataset(settings: LlmJpEvalSettings) -> Dataset:
    """Make a data set of one file.

    Raises:
        DatasetError: it is not there, is not JSON, or not of this form.
    """
    path = settings.path
    content = _read(path)
    train = path.parent.parent / "train" / path.name
    pool = settings.few_shot_file or train
    has_pool = settings.few_shot_file is not None or pool.exists()
    defaults, notes = _defaults(content, settings)

    def whole_fingerprint() -> str:
        examples = digest_of(pool) if has_pool else None
        return fingerprint([digest_of(path), examples])

    if not has_pool:
        notes.append(f"examples are taken from the file itself, as there is no {train}")
    return LlmJpEvalDataset(
        legal_name(path.name.removesuffix(".gz").removesuffix(".json")),
        defaults=defaults,
        sources=(RowSource(f"{path}, sample", functools.partial(_rows, content)),),
        pool=(RowSource(f"{pool}, sample", lambda: _rows(_read(pool))),) if has_pool else (),
        maker=SampleMaker(_FIELDS),
        on_error="stop",
        size=lambda: len(content["samples"]),
        fingerprint=functools.lru_cache(maxsize=1)(whole_fingerprint),
        said=tuple(notes),
        train=None if has_pool else train,
    )


def _read(path: Path) -> dict[str, Any]:
    """Read a file; Any: JSON."""
    try:
        with open_text(path) as file:
            content = json.load(file)
    except (json.JSONDecodeError, UnicodeDecodeError) as err:
        line = f":{err.lineno}" if isinstance(err, json.JSONDecodeError) else ""
        raise DatasetError(f"not JSON: {err}", where=f"{path}{line}") from err
    if (
        not isinstance(content, dict)
        or not isinstance(content.get("samples"), list)
        or not isinstance(content.get("instruction"), str)
    ):
        raise DatasetError(
            "not a file of llm-jp-eval: it needs `instruction` and `samples`",
            where=str(path),
            hint="for one object a line, use `jsonl:` instead",
        )
    for key, (is_right, wanted) in _SHAPES.items():
        value = content.get(key)
        if value is not None and not is_right(value):
            raise DatasetError(f"`{key}` is {value!r:.60}, not {wanted}", where=str(path))
    return content


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_SHAPES: dict[str, tuple[Callable[[object], bool], str]] = {
    "answer_extract_pattern": (_is_text, "a text"),
    "answer_pattern": (_is_text, "a text"),
    "answer_pattern_id": (_is_text, "a text"),
    "custom_prompt_template": (_is_text, "a text"),
    "label_list": (lambda value: isinstance(value, list), "a list"),
    "language": (_is_text, "a text"),
    "metrics": (_are_texts, "a list of names"),
    "num_few_shots": (_is_count, "a whole number from 0"),
    "output_length": (lambda value: _is_count(value) and bool(value), "a whole number from 1"),
}


def _rows(content: dict[str, Any]) -> Iterator[NumberedRow]:
    for number, row in enumerate(content["samples"], start=1):
        yield number, row if isinstance(row, dict) else InvalidRow("not a JSON object")


def _defaults(
    content: dict[str, Any], settings: LlmJpEvalSettings
) -> tuple[TaskDefaults, list[str]]:
    """Return how a file is asked and scored, and what people should know of it; Any: JSON."""
    where = str(settings.path)
    known: dict[str, Any] = {  # Any: keys of different types
        "answer_by": "generation",
        "generation": GenerationConfig(max_tokens=content.get("output_length")),
        "few_shot": FewShotConfig(select="first"),
        "metrics": _metrics(content, where),
    }
    if not version_2.KEYS & content.keys():
        extract = version_2.UNTIL_EMPTY_LINE
        return TaskDefaults(prompt=_prompt_v1(content), extract=extract, **known), []
    form = version_2.answer_form(
        content,
        text=settings.answer_pattern,
        pattern=settings.answer_extract_pattern,
        where=where,
    )
    for text in form.warnings:
        _log.warning("%s: %s", where, text)
    notes = [f"answers are found as {form.name}; the prompt asks for them so: '{form.text}'"]
    if not form.text:
        notes = [f"answers are found as {form.name}; the prompt says nothing of their form"]
    if labels := content.get("label_list"):
        notes.append(f"labels of the file: {', '.join(map(str, labels))}")
    if shots := content.get("num_few_shots"):
        notes.append(f"{shots} examples are shown where `shots` is not set (`num_few_shots`)")
    defaults = TaskDefaults(
        prompt=version_2.prompt(content, form), extract=form.extract, shots=shots, **known
    )
    return defaults, notes


def _metrics(content: dict[str, Any], where: str) -> tuple[ComponentConfig, ...]:
    """Return the metrics of a file that are known here; Any: JSON."""
    metrics = []
    for name in content.get("metrics") or ["exact_match"]:
        if name in _METRICS:
            metrics.append(ComponentConfig.model_validate(_METRICS[name]))
        else:
            _log.warning(
                "%s: llm-jp-eval's metric '%s' is not known here, and left out", where, name
            )
    return tuple(metrics)


def _prompt_v1(content: dict[str, Any]) -> PromptConfig:
    return PromptConfig(
        mode="completion",
        preamble=f"{_V1_INTRODUCTION}\n\n### 指示:\n{_literally(content['instruction'])}",
        template="### 入力:\n{{ input }}\n\n### 応答:\n",
        answer="{{ references[0] }}",
        separator="\n\n",
        examples="text",
    )


def _literally(text: str) -> str:
    """Keep text from being read as a template."""
    return f"{{% raw %}}{text}{{% endraw %}}" if "{" in text else text
