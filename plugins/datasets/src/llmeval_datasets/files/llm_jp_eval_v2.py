"""How files of llm-jp-eval 2 are asked and read: prompts, and the forms of answers.

Prompt texts and patterns are those of that project's `answer_parser.py` and
`evaluation_prompt_template`. Deviations: a group that took no part in a match counts as empty
(there it is an error); white space at the prompt's beginning is left out; the words that ask for
`latex_boxed_*` are ours, and its braces are balanced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmeval_core.hooks import DatasetError, ExtractConfig, ExtractRule, PromptConfig

KEYS = frozenset(
    {
        "answer_extract_pattern",
        "answer_pattern_id",
        "custom_prompt_template",
        "label_list",
        "language",
        "num_few_shots",
    }
)
"""What only files of version 2 have."""

UNTIL_EMPTY_LINE = r"(?s)^(.*?)(?=\n\n|\Z)"

_TAGS = r"<answer>(.*?)</answer>"
_LINE = r"(?s)^(.*?)(?=\n|\Z)"
_JSON = r"```json\s*\n?(.*?)\n?```"
_CODE = r"```(?:\w+)?\s*\n?(.*?)\n?```"
_FORMS: dict[str, tuple[str, str]] = {
    "answer_tags_jp": ("<answer></answer>タグで囲んで回答してください", _TAGS),
    "answer_tags_en": ("Please answer within <answer></answer> tags", _TAGS),
    "choice_only_jp": ("選択肢の番号または文字のみで回答してください", _LINE),
    "choice_only_en": ("Please answer with only the choice number or letter", _LINE),
    "json_output_jp": ("```json\n```のJSON形式で回答してください", _JSON),
    "json_output_en": ("Please answer in JSON format: ```json\n```", _JSON),
    "code_output_jp": ("```\n```のコードブロック形式で回答してください", _CODE),
    "code_output_en": ("Please answer in code block format: ```\n```", _CODE),
}
_BOXED = {
    "latex_boxed_jp": r"最終的な答えを$\boxed{}$に入れて回答してください",
    "latex_boxed_en": r"Please put your final answer within $\boxed{}$",
}
_HEADINGS = {
    "ja": ("指示", "回答形式", "入力", "応答"),
    "en": ("Instruction", "Answer Format", "Input", "Response"),
}


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """In which form an answer is asked for, and where it is then found.

    Args:
        name: the form's id.
        text: what the prompt says of it; empty for nothing.
        extract: finds it in a generation.
        warnings: what is probably not meant, a sentence each.
    """

    name: str
    text: str
    extract: ExtractConfig
    warnings: tuple[str, ...] = ()


def answer_form(
    content: Mapping[str, Any], *, text: str | None, pattern: str | None, where: str
) -> AnswerForm:
    """Find the form of a file's answers.

    Args:
        content: the file; Any: JSON.
        text: what the prompt shall say, in place of what goes with the form; None for that.
        pattern: what shall find the answer, likewise.
        where: the file, for errors.

    Raises:
        DatasetError: the form is not known, or a pattern is wrong.
    """
    name = content.get("answer_pattern_id") or "custom"
    own = content.get("answer_extract_pattern") or None
    if name in ("answer_tags", "choice_only", "json_output", "code_output"):  # before 2.0
        name += "_en" if content.get("language") == "en" else "_jp"
    known_text, known = _FORMS.get(name, (_BOXED.get(name, ""), None))
    asked = text if text is not None else content.get("answer_pattern") or known_text
    warnings = []
    extract: ExtractConfig
    if pattern is not None:
        extract = _rule(pattern, "answer_extract_pattern", where)
    elif known is not None:
        extract = _rule(known, name, where)
    elif name in _BOXED:
        extract = ExtractRule(boxed=True, match="first")
    elif own is not None:
        extract = _rule(own, "answer_extract_pattern", where)
    elif name == "custom":
        extract = UNTIL_EMPTY_LINE
    else:
        raise DatasetError(
            f"the answer_pattern_id '{name}' is not known",
            where=where,
            hint=f"known: custom, {', '.join([*_FORMS, *_BOXED])}; for others, set what the prompt "
            "says and what finds the answer: `answer_pattern:`, `answer_extract_pattern:`",
        )
    if own is not None and pattern is None and (known is not None or name in _BOXED):
        warnings.append(
            f"`answer_extract_pattern` of the file is not used, as its answer_pattern_id is {name}"
        )
    if name in _BOXED and asked == known_text:
        warnings.append(
            f"answers in the form {name} are asked for in words that may differ from llm-jp-eval's:"
            f" '{asked}'; `answer_pattern:` sets others"
        )
    return AnswerForm(name, asked, extract, tuple(warnings))


def prompt(content: Mapping[str, Any], form: AnswerForm) -> PromptConfig:
    """Return the prompt of a file: its own template or the usual one; Any: JSON."""
    variables = {
        "dataset_instruction": content["instruction"],
        "answer_pattern": form.text,
        "label_list": content.get("label_list") or [],
        "language": content.get("language") or "ja",
    }
    known = "".join(
        f"{{%- set {name} = {json.dumps(value, ensure_ascii=False)} -%}}"
        for name, value in variables.items()
    )
    template = content.get("custom_prompt_template") or _template(content.get("language"))
    return PromptConfig(
        template=f"{known}{{%- set few_shots = examples -%}}{template}",
        answer="{{ references[0] }}",
        examples="template",
    )


def _template(language: object) -> str:
    instruction, form, asked, answered = _HEADINGS["en" if language == "en" else "ja"]
    return (
        f"{{% if dataset_instruction %}}### {instruction}\n{{{{ dataset_instruction }}}}\n"
        "{% if answer_pattern or few_shots %}\n{% endif %}{% endif %}"
        f"{{% if answer_pattern %}}### {form}\n{{{{ answer_pattern }}}}\n"
        "{% if few_shots %}\n{% endif %}{% endif %}"
        "{% if few_shots %}<examples>\n"
        "{% for shot in few_shots %}<example_{{ loop.index }}>\n"
        f"### {asked}:\n{{{{ shot.input }}}}\n### {answered}:\n{{{{ shot.output }}}}\n"
        "</example_{{ loop.index }}>\n{% endfor %}</examples>\n{% endif %}"
        f"### {asked}:\n{{{{ input }}}}\n### {answered}:"
    )


def _rule(pattern: str, name: str, where: str) -> ExtractRule:
    try:
        n_groups = re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError) as err:
        raise DatasetError(f"`{name}` is not a regular expression: {err}", where=where) from err
    if not n_groups:
        raise DatasetError(
            f"`{name}` has no group, so that llm-jp-eval would find every answer empty",
            where=where,
            hint="put what is the answer in parentheses, or set `extract` in the task",
        )
    return ExtractRule(pattern=pattern, flags=("dotall",), groups="joined")
