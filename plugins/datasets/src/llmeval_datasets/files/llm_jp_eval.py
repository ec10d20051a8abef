"""llm-jp-eval's data set files, versions 1 and 2, as they are.

Version 1: examples are the first samples of `../train/NAME.json`; the prompt is the
instruction template of that project (llm-jp-eval v1.3.0), which shows input and response under
headings; the answer is what stands before the first empty line.

Version 2 (a file with one of its keys, such as `answer_pattern_id`): the prompt of its
`evaluation_prompt_template`, examples in `<examples>`, or the file's own
`custom_prompt_template`. One deviation: the text of an answer format is not part of the file
and is left out, unless the file carries it as `answer_pattern`.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Iterator
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
    Settings,
    TaskDefaults,
    fingerprint,
)
from llmeval_datasets.files.opening import digest_of, open_text
from llmeval_datasets.rows.dataset import RowDataset, legal_name
from llmeval_datasets.rows.fields import FieldSettings
from llmeval_datasets.rows.samples import SampleMaker
from llmeval_datasets.rows.sources import BadRow, NumberedRow, RowSource

# In some of these files the right answer is that there is none.
_FIELDS = FieldSettings(input="input", references="output", empty_references="allow")
_log = logging.getLogger("llmeval")

_V1_INTRODUCTION = (
    "以下は、タスクを説明する指示と、文脈のある入力の組み合わせです。"
    "要求を適切に満たす応答を書きなさい。"
)
_V2_KEYS = frozenset(
    {
        "answer_extract_pattern",
        "answer_pattern_id",
        "custom_prompt_template",
        "label_list",
        "language",
        "num_few_shots",
    }
)
_V2_HEADINGS = {
    "ja": ("指示", "回答形式", "入力", "応答"),
    "en": ("Instruction", "Answer Format", "Input", "Response"),
}
_UNTIL_EMPTY_LINE = r"(?s)^(.*?)(?=\n\n|\Z)"
_EXTRACT = {
    "answer_tags_jp": r"(?s)<answer>(.*?)</answer>",
    "answer_tags_en": r"(?s)<answer>(.*?)</answer>",
    "choice_only_jp": r"(?s)^(.*?)(?=\n|\Z)",
    "choice_only_en": r"(?s)^(.*?)(?=\n|\Z)",
}
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


class LlmJpEvalSettings(Settings):
    """A file of llm-jp-eval's `evaluation/{train,dev,test}/NAME.json`."""

    path: Path = Field(description="The file.")
    few_shot_file: Path | None = Field(
        default=None, description="The file with examples; `../train/NAME.json` if left out."
    )


def llm_jp_eval_dataset(settings: LlmJpEvalSettings) -> Dataset:
    """Make a data set of one file.

    Raises:
        DatasetError: it is not there, is not JSON, or not of this form.
    """
    path = settings.path
    content = _read(path)
    pool = settings.few_shot_file or path.parent.parent / "train" / path.name
    has_pool = settings.few_shot_file is not None or pool.exists()

    def whole_fingerprint() -> str:
        examples = digest_of(pool) if has_pool else None
        return fingerprint([digest_of(path), examples])

    return RowDataset(
        legal_name(path.name.removesuffix(".gz").removesuffix(".json")),
        defaults=_defaults(content),
        sources=(RowSource(f"{path}, sample", functools.partial(_rows, content)),),
        pool=(RowSource(f"{pool}, sample", lambda: _rows(_read(pool))),) if has_pool else (),
        maker=SampleMaker(_FIELDS),
        on_error="stop",
        size=lambda: len(content["samples"]),
        fingerprint=functools.lru_cache(maxsize=1)(whole_fingerprint),
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
    return content


def _rows(content: dict[str, Any]) -> Iterator[NumberedRow]:
    for number, row in enumerate(content["samples"], start=1):
        yield number, row if isinstance(row, dict) else BadRow("not a JSON object")


def _defaults(content: dict[str, Any]) -> TaskDefaults:
    version_2 = bool(_V2_KEYS & content.keys())
    metrics = []
    for name in content.get("metrics", ["exact_match"]):
        if name in _METRICS:
            metrics.append(ComponentConfig.model_validate(_METRICS[name]))
        else:
            _log.warning("llm-jp-eval's metric '%s' is not known here, and left out", name)
    length = content.get("output_length")
    return TaskDefaults(
        prompt=_prompt_v2(content) if version_2 else _prompt_v1(content),
        answer_by="generation",
        generation=GenerationConfig(max_tokens=length if isinstance(length, int) else None),
        few_shot=FewShotConfig(select="first"),
        metrics=tuple(metrics) or (ComponentConfig(use="exact_match"),),
        extract=_extract(content),
    )


def _prompt_v1(content: dict[str, Any]) -> PromptConfig:
    return PromptConfig(
        mode="completion",
        preamble=f"{_V1_INTRODUCTION}\n\n### 指示:\n{_literally(content['instruction'])}",
        template="### 入力:\n{{ input }}\n\n### 応答:\n",
        answer="{{ references[0] }}",
        separator="\n\n",
        examples="text",
    )


def _prompt_v2(content: dict[str, Any]) -> PromptConfig:
    instruction = json.dumps(content["instruction"], ensure_ascii=False)
    pattern = json.dumps(content.get("answer_pattern") or "", ensure_ascii=False)
    known = (
        f"{{%- set dataset_instruction = {instruction} -%}}"
        f"{{%- set answer_pattern = {pattern} -%}}"
        "{%- set few_shots = examples -%}"
    )
    template = content.get("custom_prompt_template") or _v2_template(content.get("language"))
    return PromptConfig(
        template=known + template, answer="{{ references[0] }}", examples="template"
    )


def _v2_template(language: object) -> str:
    instruction, form, asked, answered = _V2_HEADINGS["en" if language == "en" else "ja"]
    return (
        f"### {instruction}\n{{{{ dataset_instruction }}}}\n"
        f"{{% if answer_pattern %}}### {form}\n{{{{ answer_pattern }}}}\n{{% endif %}}"
        "{% if few_shots %}<examples>\n"
        "{% for shot in few_shots %}<example_{{ loop.index }}>\n"
        f"### {asked}:\n{{{{ shot.input }}}}\n### {answered}:\n{{{{ shot.output }}}}\n"
        "</example_{{ loop.index }}>\n{% endfor %}</examples>\n{% endif %}"
        f"### {asked}:\n{{{{ input }}}}\n### {answered}:"
    )


def _extract(content: dict[str, Any]) -> str:
    own = content.get("answer_extract_pattern")
    if isinstance(own, str) and own:
        return own
    return _EXTRACT.get(str(content.get("answer_pattern_id")), _UNTIL_EMPTY_LINE)


def _literally(text: str) -> str:
    """Keep text from being read as a template."""
    return f"{{% raw %}}{text}{{% endraw %}}" if "{" in text else text
