"""Finding the answer in a generation: patterns, boxes, the last line, fallbacks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from llmeval_core.config import ExtractConfig, describe_extract
from llmeval_core.extraction import Extractor, boxed_texts

SETTING: TypeAdapter[ExtractConfig] = TypeAdapter(ExtractConfig)
GSM8K_STRICT = r"#### (\-?[0-9\.\,]+)"
GSM8K_FLEXIBLE = r"(-?[$0-9.,]{2,})|(-?[0-9]+)"


def extracted(setting: Any, text: str) -> str:
    """Extract as a run file's `extract` says; Any: as YAML gives it."""
    return Extractor(SETTING.validate_python(setting), where="here")(text)


@pytest.mark.parametrize(
    ("setting", "text", "answer"),
    [
        (r"\d+", "about 42 or 43", "42"),
        (r"Answer: (\w+)", "Answer: Paris.", "Paris"),
        (r"答え：(\w+)|<answer>(\w+)</answer>", "<answer>A</answer>", "A"),
        (r"答え：(\w+)|<answer>(\w+)</answer>", "答え：B", "B"),
        (r"a( )b( c)", "a b c", "c"),
        (r"(a)|b", "b a", ""),
        (r"(?s)<answer>(.+?)</answer>", "<answer>a\nb\n</answer>", "a\nb"),
        (r"x", "nothing", ""),
        ({"pattern": r"\d+"}, "1 2 3", "1"),
        ({"pattern": r"\d+", "match": "first"}, "1 2 3", "1"),
        ({"pattern": r"\d+", "match": "last"}, "1 2 3", "3"),
        ({"pattern": r"\d+", "match": 2}, "1 2 3", "2"),
        ({"pattern": r"\d+", "match": -2}, "1 2 3", "2"),
        ({"pattern": r"\d+", "match": -1}, "1 2 3", "3"),
        ({"pattern": r"\d+", "match": 4}, "1 2 3", ""),
        ({"pattern": r"\d+", "match": -4}, "1 2 3", ""),
        ({"pattern": "answer (.+)", "flags": ["ignore_case", "dotall"]}, "ANSWER a\nb", "a\nb"),
        ({"pattern": "^b.*", "flags": "multiline"}, "a\nbc", "bc"),
        ({"pattern": r"(\w)。(\w)", "groups": "joined"}, "1。2 3。4", "12"),
        ({"pattern": r"(\w)。(\w)", "groups": "joined", "match": "last"}, "1。2 3。4", "34"),
        ({"pattern": "a(b)|c(d)", "groups": "joined"}, "cd ab", "d"),
        ({"pattern": "a( )(b*)", "groups": "joined"}, "a c", ""),
        ({"boxed": True}, r"\boxed{1}, no: $\boxed{\frac{1}{2}}$ (in 3 ways)", r"\frac{1}{2}"),
        ({"boxed": True, "match": "first"}, r"\boxed{1} \boxed{2}", "1"),
        ({"boxed": True, "match": 2}, r"\boxed{1} \boxed{2} \boxed{3}", "2"),
        ({"boxed": True}, r"\boxed{1} and \boxed{2", "1"),
        ({"boxed": True}, "no box, 42", ""),
        ({"last_line": True}, "I think.\n\n 42 \n\n", "42"),
        ({"last_line": True}, " \n", ""),
        ([{"boxed": True}, "####(.*)", {"last_line": True}], "a\n#### 5\nb", "5"),
        ([{"boxed": True}, "####(.*)", {"last_line": True}], "a\nb", "b"),
        ([{"boxed": True}, "####(.*)"], "a\nb", ""),
        ([r"A: *(\w*)", r"\d+"], "A: \n7", "7"),
    ],
)
def test_extract_finds_the_answer_p3_extract(setting: Any, text: str, answer: str) -> None:
    assert extracted(setting, text) == answer


def lm_eval_regex(pattern: str, group_select: int, text: str) -> str:
    """Do what lm-evaluation-harness 0.4.13's `regex` filter does, but find nothing as ''."""
    found: list[Any] = re.findall(pattern, text)
    if not found:
        return ""
    match = found[group_select]
    if isinstance(match, tuple):
        match = next(group for group in match if group)
    return str(match.strip())


# lm-evaluation-harness 0.4.13, gsm8k.yaml: the filters strict-match and flexible-extract.
@pytest.mark.parametrize(
    ("text", "strict", "flexible"),
    [
        ("5 * 2 = 10\n#### 10", "10", "10"),
        ("#### -1,234.5", "-1,234.5", "-1,234.5"),
        ("#### 7\n\nQuestion: 12", "7", "12"),
        ("The answer is $1,200.", "", "$1,200."),
        ("The answer is 5", "", "5"),
        ("The answer is 5.", "", "5."),
        ("none", "", ""),
    ],
)
def test_both_patterns_of_lm_evals_gsm8k_give_what_they_give_there_p3_extract(
    text: str, strict: str, flexible: str
) -> None:
    assert extracted(GSM8K_STRICT, text) == strict == lm_eval_regex(GSM8K_STRICT, 0, text)
    last = {"pattern": GSM8K_FLEXIBLE, "match": "last"}
    assert extracted(last, text) == flexible == lm_eval_regex(GSM8K_FLEXIBLE, -1, text)
    assert extracted([GSM8K_STRICT, last], text) == (strict or flexible)


@given(st.text(alphabet="0123456789-$., #\n", max_size=40))
def test_lm_evals_patterns_agree_on_any_text(text: str) -> None:
    for pattern, match, group_select in (
        (GSM8K_STRICT, "first", 0),
        (GSM8K_FLEXIBLE, "last", -1),
    ):
        setting = {"pattern": pattern, "match": match}
        assert extracted(setting, text) == lm_eval_regex(pattern, group_select, text)


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        (r"\boxed{a{b}c}", ["a{b}c"]),
        (r"\boxed{\{1, 2\}}", [r"\{1, 2\}"]),
        (r"\boxed{\left\{ x \right.}", [r"\left\{ x \right."]),
        (r"{ \boxed{1}", ["1"]),
        (r"} \boxed{1} }", ["1"]),
        (r"\boxed{x = \boxed{5}}", [r"x = \boxed{5}", "5"]),
        (r"\fbox{7} \boxed {8}", ["7", "8"]),
        (r"$\boxed 5$ and \boxed 6.", ["5", "6."]),
        (r"\\boxed{9}", ["9"]),
        (r"\boxed{}", [""]),
        (r"boxed{1} \boxedx{2} \boxed", []),
    ],
)
def test_boxes_are_read_with_balanced_braces(text: str, boxes: list[str]) -> None:
    assert boxed_texts(text) == boxes


@given(
    st.recursive(
        st.text(alphabet="ab \n", max_size=3),
        lambda inner: st.lists(inner.map(lambda text: "{" + text + "}"), max_size=3).map("".join),
    ),
    st.text(alphabet="ab{} ", max_size=5),
)
def test_whatever_is_balanced_comes_back_out_of_its_box(content: str, before: str) -> None:
    assert boxed_texts(rf"{before} \boxed{{{content}}} and more")[-1] == content


# Quadratic time would take minutes here.
@pytest.mark.parametrize("unit", [r"\boxed{", "{", "}", "\\", r"\boxed ", "\n", r"\boxed{}"])
def test_endless_repetition_is_read_in_linear_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))

    extracted([{"boxed": True}, {"last_line": True}], text)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({}, "extract takes one of pattern, boxed: true and last_line: true"),
        ({"boxed": False}, "extract takes one of pattern, boxed: true and last_line: true"),
        ({"boxed": True, "pattern": "a"}, "extract takes one of pattern, boxed: true and"),
        ({"boxed": True, "flags": "dotall"}, "flags go with a pattern"),
        ({"last_line": True, "match": 1}, "match goes with a pattern or boxed: true"),
        ({"pattern": "a", "match": 0}, "match is first, last, or a number: 1 is the first, -1"),
        ({"pattern": "a", "match": True}, "match is first, last, or a number"),
        ({"pattern": "a", "match": "middle"}, "match is first, last, or a number"),
        ({"pattern": "("}, "extract is not a regular expression: missing \\), unterminated"),
        ({"pattern": "a", "flags": "loud"}, "Input should be 'ignore_case'"),
        (
            {"pattern": "a", "groups": "joined"},
            "groups: joined goes with a pattern that has groups",
        ),
        ({"boxed": True, "groups": "joined"}, "groups: joined goes with a pattern that has"),
        ({"patern": "a"}, "Extra inputs are not permitted"),
        ("", "at least 1 character"),
        ([], "at least 1 item"),
        (5, "extract is a pattern, a rule such as {boxed: true}, or a list of them"),
    ],
)
def test_an_extract_that_means_nothing_is_refused(setting: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SETTING.validate_python(setting)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", {"pattern": "a"}),
        ("a", ["a"]),
        ("a", {"pattern": "a", "match": 1}),
        ("(a)", {"pattern": "(a)", "groups": "first"}),
        ({"boxed": True}, {"boxed": True, "match": "last"}),
        (
            {"pattern": "a", "flags": ["dotall", "multiline"]},
            {"pattern": "a", "flags": ["multiline", "dotall", "dotall"]},
        ),
    ],
)
def test_settings_that_find_the_same_are_described_alike(one: Any, other: Any) -> None:
    first, second = SETTING.validate_python(one), SETTING.validate_python(other)

    assert describe_extract(first) == describe_extract(second)


def test_a_plain_pattern_is_described_as_it_is_written() -> None:
    assert describe_extract("a(b)") == "a(b)"
    assert describe_extract(None) is None
    joined = SETTING.validate_python({"pattern": "(a)(b)", "groups": "joined"})
    assert describe_extract(joined) == {"pattern": "(a)(b)", "groups": "joined"}
    assert describe_extract(SETTING.validate_python(["a", {"pattern": "b", "match": "last"}])) == [
        "a",
        {"pattern": "b", "match": "last"},
    ]
