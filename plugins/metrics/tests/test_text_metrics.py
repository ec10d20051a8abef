"""Metrics over texts; golden values come from the reference implementations named beside them."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_metrics.answer_format import AnswerFormat, FormatSettings
from llmeval_metrics.normalization import aio, nfkc, squad
from llmeval_metrics.number_parsing import last_number
from llmeval_metrics.numeric_match import NumericSettings, make_numeric_match
from llmeval_metrics.overlap import CharF1, CharF1Settings, SetF1, TokenF1
from llmeval_metrics.rouge import Rouge, RougeSettings
from llmeval_metrics.text_match import (
    Contains,
    ExactMatch,
    MatchSettings,
    RegexMatch,
    RegexSettings,
)
from llmeval_metrics.translation import Bleu, BleuSettings, Chrf, ChrfSettings

from llmeval_core.hooks import ConfigError, Metric, Settings
from llmeval_core.testing import check_metric, check_plugin, make_generation, make_sample

# fuzzywuzzy 0.18.0 with python-Levenshtein: (answer, reference, token_sort_ratio after NFKC, ratio)
FUZZYWUZZY = [
    ("東京都", "東京", 80, 80),
    ("安倍 晋三", "安倍晋三", 89, 89),
    ("Paris, France", "France Paris", 100, 48),
    ("abcd", "abcd", 100, 100),
    ("YES", "yes", 100, 0),
    ("１２３", "123", 100, 0),
    ("café", "cafe", 86, 75),
    ("", "東京", 0, 0),
    ("答えは東京タワーです。", "東京タワー", 67, 62),
    ("a-b_c", "a b c", 80, 60),
    ("efgh", "efGH", 100, 50),
]


async def value(metric: Metric, answer: str, *references: str) -> float | None:
    case = (make_sample(references=references), make_generation(answer))
    (score,) = await check_metric(metric, [case])
    return score.value


# flexeval 0.18.3 AIONormalizer, run on these texts
@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("「蛹化(ようか)」", "蛹化"),
        ("スター・ウォーズ", "スターウォーズ"),
        ("ＡＢＣ　Ｄ", "abcd"),
        ("『羅生門』 - 1915", "羅生門1915"),
        ("東京～大阪", "東京〜大阪"),
        ("１０（じゅう）", "10"),
    ],
)
def test_aio_normalises_as_the_quiz_does(text: str, normalised: str) -> None:
    assert aio(text) == normalised


def test_nfkc_and_squad_normalise_as_their_sources_do() -> None:
    assert nfkc(" ０．８５\n") == "0.85"
    assert squad("The  Quick, brown-fox!") == "quick brownfox"


def official_squad(text: str) -> str:
    """Do what `normalize_answer` of the SQuAD v1.1 evaluation script does, step by step."""
    kept = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


@given(
    st.lists(
        st.sampled_from(["a", "An", "the", "-", "_", "x", " ", "\n", "\x1c", "\x00", "é", "。"])
    )
)
def test_squad_normalises_as_the_official_script(parts: list[str]) -> None:
    text = "".join(parts)

    assert squad(text) == official_squad(text)


async def test_exact_match_takes_any_reference_after_normalisation() -> None:
    assert await value(ExactMatch(MatchSettings()), " １２ ", "十二", "12") == 1.0
    assert await value(ExactMatch(MatchSettings(normalize="none")), "１２", "12") == 0.0
    assert await value(ExactMatch(MatchSettings(normalize="aio")), "「大・阪」", "大阪") == 1.0


async def test_contains_finds_no_empty_reference() -> None:
    assert await value(Contains(MatchSettings()), "It is Paris.", "Paris") == 1.0
    assert await value(Contains(MatchSettings()), "It is Paris.", "") == 0.0


async def test_regex_match_uses_its_pattern_or_the_reference() -> None:
    assert await value(RegexMatch(RegexSettings(pattern=r"\d+")), "in 1945", "x") == 1.0
    assert await value(RegexMatch(RegexSettings(mode="fullmatch")), "1945!", r"\d+") == 0.0
    with pytest.raises(ConfigError, match="the pattern is not a regular expression: "):
        RegexMatch(RegexSettings(pattern="("))


@pytest.mark.parametrize(("answer", "reference", "sorted_ratio", "ratio"), FUZZYWUZZY)
async def test_char_f1_equals_fuzzywuzzy(
    answer: str, reference: str, sorted_ratio: int, ratio: int
) -> None:
    llm_jp = CharF1(CharF1Settings(definition="llm-jp-1"))
    flexeval = CharF1(CharF1Settings(definition="flexeval"))

    assert await value(llm_jp, answer, reference) == sorted_ratio / 100
    assert await value(flexeval, answer, reference) == ratio / 100


async def test_char_f1_of_jglue_counts_characters() -> None:
    metric = CharF1(CharF1Settings(definition="jglue"))

    assert await value(metric, "東京都", "東京") == pytest.approx(2 * 2 / 5)
    assert metric.definition == "char_f1@jglue"


async def test_token_f1_is_that_of_squad() -> None:
    assert await value(TokenF1(), "the big red dog", "a red dog", "cat") == pytest.approx(0.8)
    assert await value(TokenF1(), "the", "a") == 1.0


async def test_set_f1_compares_lines() -> None:
    assert await value(SetF1(), "a\nb\nc", "b\nc\nd\ne") == pytest.approx(
        2 * (2 / 3 * 0.5) / (2 / 3 + 0.5)
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The answer is $1,234.50.", 1234.5),
        ("so 3 + 4 = 7", 7.0),
        ("１２個", 12.0),
        ("#### 18\nand 99", 18.0),
        ("x = -2.5e3", -2500.0),
        ("about 3/4", 0.75),
        ("85%", 85.0),
        ("none", None),
        ("v1.2.3 has 10,20", 20.0),
    ],
)
def test_the_last_number_is_found(text: str, number: float | None) -> None:
    assert last_number(text) == number


async def test_numeric_match_compares_numbers_not_texts() -> None:
    metric = make_numeric_match(NumericSettings())

    assert await value(metric, "It is 18.0 apples.", "5*2=10\n#### 18") == 1.0
    assert await value(metric, "no idea", "18") == 0.0


async def test_math_verify_understands_latex() -> None:
    metric = make_numeric_match(NumericSettings(engine="math_verify"))

    assert await value(metric, r"So $\boxed{\frac{1}{2}}$", "$0.5$") == 1.0
    assert await value(metric, r"So $\boxed{3}$", "$4$") == 0.0


# sacrebleu 2.6.0: BLEU().corpus_score, CHRF().corpus_score
TRANSLATIONS = [
    ("the cat sat on the mat", ("the cat sat on a mat", "the cat is on the mat")),
    ("there is a dog in the garden", ("a dog is in the garden",)),
    ("", ("nothing",)),
]


@pytest.mark.parametrize(
    ("metric", "corpus"),
    [(Bleu(BleuSettings()), 45.43741956108463), (Chrf(ChrfSettings()), 63.49532143578536)],
)
async def test_corpus_values_equal_sacrebleu(metric: Metric, corpus: float) -> None:
    cases = [(make_sample(references=refs), make_generation(text)) for text, refs in TRANSLATIONS]

    scores = await check_metric(metric, cases)

    aggregate = metric.aggregate(scores)
    assert aggregate.value == pytest.approx(corpus)
    assert aggregate.stderr is not None
    assert aggregate.n_scored == 3


async def test_bleu_can_be_the_mean_of_samples() -> None:
    metric = Bleu(BleuSettings(level="mean", tokenize="ja-mecab"))
    scores = await check_metric(
        metric, [(make_sample(references=("猫が座る。",)), make_generation("猫が座る。"))]
    )

    assert metric.definition == "bleu@sacrebleu-ja-mecab-mean"
    assert metric.aggregate(scores).value == pytest.approx(100.0)


# rouge-score 0.1.2
@pytest.mark.parametrize(
    ("kind", "expected"),
    [("rouge1", 0.8333333333333334), ("rouge2", 0.6), ("rougeL", 0.8333333333333334)],
)
async def test_rouge_equals_rouge_score(kind: str, expected: float) -> None:
    metric = Rouge(RougeSettings.model_validate({"kind": kind}))

    assert await value(metric, "the cat sat on the mat", "the cat sat on a mat") == expected


async def test_rouge_of_japanese_needs_another_tokenizer() -> None:
    assert await value(Rouge(RougeSettings()), "猫が座る", "猫が座る") == 0.0
    assert await value(Rouge(RougeSettings(tokenizer="char")), "猫が座る", "猫が座る") == 1.0
    assert await value(Rouge(RougeSettings(tokenizer="ja")), "猫が座る", "猫が座る") == 1.0


@pytest.mark.parametrize(
    ("form", "answer", "fits"),
    [
        ("letter", "Ａ", True),
        ("letter", "A.", False),
        ("number", "1,234.5", True),
        ("number", "12 apples", False),
        ("json", '{"a": 1}', True),
        ("json", "{a}", False),
        ("one_line", "yes", True),
        ("one_line", "", False),
    ],
)
async def test_answer_format_looks_at_the_form_alone(form: str, answer: str, fits: bool) -> None:
    metric = AnswerFormat(FormatSettings.model_validate({"format": form}))

    assert await value(metric, answer) == float(fits)


async def test_several_answers_count_by_their_mean() -> None:
    metric = ExactMatch(MatchSettings())
    case = (make_sample(references=("yes",)), make_generation("yes", "no", "yes", "yes"))

    (score,) = await check_metric(metric, [case])

    assert score.value == 0.75


@given(st.text(max_size=30), st.text(max_size=30))
def test_overlap_is_a_ratio_and_whole_for_equal_texts(one: str, other: str) -> None:
    metrics = [
        CharF1(CharF1Settings.model_validate({"definition": d})) for d in ("flexeval", "jglue")
    ]
    for metric in [*metrics, TokenF1()]:
        score = metric.judge(one, make_sample(references=(other,))).value
        assert score is not None
        assert 0.0 <= score <= 1.0
        assert metric.judge(one, make_sample(references=(one,))).value == 1.0


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_metrics.plugin")

    for entry in plugin.registered["metrics"]:
        assert entry.factory(entry.config() if entry.name != "answer_format" else FormatSettings())
    assert issubclass(plugin.registered["metrics"][0].config, Settings)
