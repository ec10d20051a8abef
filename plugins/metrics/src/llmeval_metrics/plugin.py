"""The hooks: which metrics this distribution offers."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from llmeval_core.hooks import Component, Metric, Settings, hookimpl
from llmeval_metrics.answer_format import AnswerFormat, FormatSettings
from llmeval_metrics.choice_accuracy import ChoiceAccuracy, ChoiceSettings
from llmeval_metrics.correlation import Correlation, CorrelationSettings
from llmeval_metrics.numeric_match import NumericSettings, make_numeric_match
from llmeval_metrics.overlap import CharF1, CharF1Settings, SetF1, TokenF1
from llmeval_metrics.rouge import Rouge, RougeSettings
from llmeval_metrics.text_match import (
    Contains,
    ContainsSettings,
    ExactMatch,
    MatchSettings,
    RegexMatch,
    RegexSettings,
)
from llmeval_metrics.translation import Bleu, BleuSettings, Chrf, ChrfSettings

_Entry = Component[Any, Metric]  # Any: each has its own settings


@hookimpl
def llmeval_register_metrics() -> Iterable[_Entry]:
    """Offer the metrics."""
    yield from _matching()
    yield from _overlapping()
    yield from _corpora()


def _matching() -> Iterable[_Entry]:
    yield Component(
        "exact_match",
        MatchSettings,
        ExactMatch,
        "the answer equals a reference",
        argument="normalize",
        example="metrics: [{use: exact_match, normalize: aio}]",
    )
    yield Component(
        "contains",
        ContainsSettings,
        Contains,
        "the answer contains a reference",
        argument="normalize",
        example="metrics: [contains]",
    )
    yield Component(
        "regex_match",
        RegexSettings,
        RegexMatch,
        "the answer matches a pattern",
        argument="pattern",
        example="metrics: [{use: regex_match, pattern: '^(yes|no)', name: decided}]",
    )
    yield Component(
        "choice_accuracy",
        ChoiceSettings,
        ChoiceAccuracy,
        "the right choice was taken",
        argument="normalize",
        example="metrics: [choice_accuracy, {use: choice_accuracy, name: acc_norm, "
        "normalize: chars}]",
    )
    yield Component(
        "numeric_match",
        NumericSettings,
        make_numeric_match,
        "the last number is the right one",
        argument="engine",
        example="metrics: [{use: numeric_match, engine: math_verify}]",
    )
    yield Component(
        "answer_format",
        FormatSettings,
        AnswerFormat,
        "the answer has the asked form",
        argument="format",
        example="metrics: [{use: answer_format, format: letter}]",
    )


def _overlapping() -> Iterable[_Entry]:
    yield Component(
        "char_f1",
        CharF1Settings,
        CharF1,
        "similar characters; three definitions",
        argument="definition",
        example="metrics: [{use: char_f1, definition: llm-jp-1}]",
    )
    yield Component("token_f1", Settings, lambda settings: TokenF1(), "F1 over words, as SQuAD")
    yield Component("set_f1", Settings, lambda settings: SetF1(), "F1 over lines, as llm-jp-eval")
    yield Component(
        "rouge",
        RougeSettings,
        Rouge,
        "ROUGE by rouge-score",
        argument="kind",
        example="metrics: [{use: rouge, kind: rouge2, tokenizer: ja}]",
    )


def _corpora() -> Iterable[_Entry]:
    yield Component(
        "bleu",
        BleuSettings,
        Bleu,
        "BLEU by sacrebleu, 0 to 100",
        argument="tokenize",
        example="metrics: [{use: bleu, tokenize: ja-mecab}]",
    )
    yield Component("chrf", ChrfSettings, Chrf, "chrF by sacrebleu, 0 to 100")
    yield Component(
        "pearson",
        CorrelationSettings,
        functools.partial(Correlation, "pearson"),
        "Pearson correlation of numbers",
        argument="unparsed",
        example="metrics: [{use: pearson, unparsed: leave_out}]",
    )
    yield Component(
        "spearman",
        CorrelationSettings,
        functools.partial(Correlation, "spearman"),
        "Spearman correlation of numbers",
        argument="unparsed",
        example="metrics: [{use: spearman, unparsed: leave_out}]",
    )
