"""llmeval judge check: verdicts beside labels, biases, what is kept and when it is void."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from llmeval_judges.calibration import Calibration, stored
from llmeval_judges.check_report import CheckedAnswer, make_report
from llmeval_judges.judge_check_task import JudgeCheck
from llmeval_judges.judge_command import command
from llmeval_judges.judge_settings import JudgeCheckSettings
from llmeval_judges.rank_correlation import partial_spearman
from llmeval_judges.rubric import READY_RUBRICS
from llmeval_judges.scale import Level, Scale

from llmeval_core.api import RunOutcome
from llmeval_core.hooks import ConfigError, Generation
from llmeval_core.testing import FakeModel, check_task, run_in

Verdicts = Callable[..., str]
YES_NO = Scale((Level("no", 0), Level("yes", 1)))


def rows(n: int = 12) -> list[dict[str, Any]]:
    """Sums of which each third is wrong; the last two have no label."""
    return [
        {
            "id": f"q{number}",
            "input": f"What is {number} + 1?",
            "reference": str(number + 1),
            "answer": str(number + (2 if number % 3 == 0 else 1)),
            "label": None if number >= n - 2 else "no" if number % 3 == 0 else "yes",
        }
        for number in range(n)
    ]


def written(folder: Path, lines: list[dict[str, Any]]) -> Path:
    path = folder / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    return path


def answer_in(asked: str) -> str:
    return asked.split("===== ANSWER ")[1].split("=====\n")[1].split("\n=====", maxsplit=1)[0]


def reference_in(asked: str) -> str:
    return asked.split("===== REFERENCE ")[1].split("=====\n")[1].split("\n=====", maxsplit=1)[0]


def values(outcome: RunOutcome) -> dict[str, float | None]:
    (result,) = outcome.summary.results
    return {metric.metric: metric.aggregate.value for metric in result.metrics}


# --- the task


async def test_a_judge_is_evaluated_as_a_model(tmp_path: Path, verdict: Verdicts) -> None:
    def lenient(asked: str) -> str:
        is_right = answer_in(asked) == reference_in(asked)
        return verdict("yes" if is_right or answer_in(asked) == "5" else "no")

    check = JudgeCheck(JudgeCheckSettings(labels=written(tmp_path, rows())))
    judge = FakeModel(lenient)

    outcome = await run_in(tmp_path, models={"fake": judge}, ready_tasks={"check": check})

    assert outcome.errors == ()
    (result,) = outcome.summary.results
    assert result.task == "judge_check_correctness_0shot"
    # 10 labels: 4 no, 6 yes; one of the no is taken for a yes.
    assert values(outcome) == {"agreement": 0.9, "kappa": pytest.approx(1 - 0.1 / 0.46)}
    assert len(judge.requests) == 12
    assert judge.requests[0].response_format is not None


async def test_pairs_are_checked_in_both_orders(tmp_path: Path, verdict: Verdicts) -> None:
    lines = [
        {"input": "Best?", "answer": f"good {n}", "other": f"bad {n}", "label": "first"}
        for n in range(3)
    ]
    lines += [{"input": "Best?", "answer": "bad 9", "other": "good 9", "label": "second"}]
    lines += [{"input": "Best?", "answer": "same", "other": "alike", "label": "tie"}]

    def judge(asked: str) -> str:
        first = asked.split("===== ANSWER 1 ")[1].split("=====\n")[1]
        if first.startswith(("good 2", "bad 2", "same", "alike")):
            return verdict("first")
        return verdict("first" if first.startswith("good") else "second")

    settings = JudgeCheckSettings(labels=written(tmp_path, lines), rubric="preference")
    model = FakeModel(judge)

    outcome = await run_in(
        tmp_path, models={"fake": model}, ready_tasks={"check": JudgeCheck(settings)}
    )

    assert outcome.errors == ()
    assert len(model.requests) == 10
    assert values(outcome)["flips"] == 0.4
    assert values(outcome)["agreement"] == 0.8  # a flip is a tie


async def test_what_gets_no_verdict_is_unscored(tmp_path: Path, verdict: Verdicts) -> None:
    def judge(asked: str) -> str:
        return "hm" if "===== ANSWER " not in asked or answer_in(asked) == "2" else verdict("yes")

    check = JudgeCheck(JudgeCheckSettings(labels=written(tmp_path, rows())))

    outcome = await run_in(
        tmp_path, models={"fake": FakeModel(judge)}, ready_tasks={"check": check}
    )

    (result,) = outcome.summary.results
    assert result.n_failed == 2
    assert values(outcome)["agreement"] == pytest.approx(5 / 8)


@pytest.mark.parametrize(
    ("lines", "rubric", "message"),
    [
        (
            [{"input": "a", "answer": "b", "label": "yes"}],
            "correctness",
            "the sample has no reference\n  where: {path}, id '1'",
        ),
        (
            [{"input": "a", "answer": "b", "reference": "c", "label": "right"}],
            "correctness",
            'the label is "right"\n  where: {path}, line 1\n'
            "  try:   the verdicts of this rubric are yes, no",
        ),
        (
            [{"input": "a", "answer": "b", "label": "tie"}],
            "preference",
            "the line has no 'other' answer\n  where: {path}, id '1'\n"
            "  try:   rubric 'preference' compares pairs",
        ),
        (
            [{"input": "a", "answer": "b", "other": "c", "label": 3}],
            "helpfulness",
            "the line has an 'other' answer\n  where: {path}, id '1'\n"
            "  try:   rubric 'helpfulness' compares no pairs; `preference` does",
        ),
        (
            [{"input": "a", "label": "yes"}],
            "correctness",
            "the line has no text in 'answer'\n  where: {path}, line 1\n"
            '  try:   a line looks like {{"input": "2 + 2?", "reference": "4", "answer": "four",'
            ' "label": "yes"}}',
        ),
        (
            [{"id": 1, "input": "a", "answer": "b", "label": 1}] * 2,
            "helpfulness",
            "the id '1' comes twice\n  where: {path}, line 2",
        ),
        (
            [{"id": [1], "input": "a", "answer": "b", "label": 1}],
            "helpfulness",
            "'id' is neither a text nor a number\n  where: {path}, line 1",
        ),
        (
            [{"input": "a", "references": ["x", None], "answer": "b", "label": "yes"}],
            "correctness",
            "a reference is neither a text nor a number\n  where: {path}, line 1\n"
            '  try:   a line looks like {{"input": "2 + 2?", "reference": "4", "answer": "four",'
            ' "label": "yes"}}',
        ),
        (
            [{"input": "😀", "answer": "b \ud800", "label": "yes"}],
            "correctness",
            "the line has half a character (a lone surrogate)\n  where: {path}, line 1",
        ),
        (
            [{"input": "a", "answer": "b", "label": 10**400}],
            "helpfulness",
            "the label is 1" + "0" * 59 + "\n  where: {path}, line 1\n"
            "  try:   the verdicts of this rubric are 1, 2, 3, 4, 5",
        ),
        (
            [{"input": "a", "answer": "b"}],
            "helpfulness",
            "there is no label in the file\n  where: {path}\n"
            '  try:   a line looks like {{"input": "2 + 2?", "reference": "4", "answer": "four",'
            ' "label": "yes"}}',
        ),
    ],
)
def test_wrong_labels_are_explained(
    lines: list[dict[str, Any]], rubric: str, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, lines)

    with pytest.raises(ConfigError) as caught:
        JudgeCheck(JudgeCheckSettings(labels=path, rubric=rubric))

    assert str(caught.value) == message.format(path=path)


def test_numbers_are_texts_and_null_is_nothing(tmp_path: Path) -> None:
    line = {"input": "2 + 2?", "answer": "four", "label": "yes"}
    lines: list[dict[str, Any]] = [
        {**line, "id": None, "reference": 4},
        {**line, "id": None, "references": [4.0, True]},
        {**line, "id": 7.0, "reference": "4"},
    ]

    found = JudgeCheck(JudgeCheckSettings(labels=written(tmp_path, lines))).labelled

    assert [one.sample.id for one in found] == ["1", "2", "7"]
    assert [one.sample.references for one in found] == [("4",), ("4", "true"), ("4",)]


def test_lines_of_llmeval_samples_are_read(tmp_path: Path) -> None:
    line = {
        "index": 0,
        "id": "s1",
        "input": [{"role": "user", "content": "Capital?"}],
        "expected": {"references": ["Paris"], "choices": [], "answer": None},
        "answered": {"texts": ["<think>hm</think>Paris"]},
        "scores": {},
        "label": "yes",
    }

    (one,) = JudgeCheck(JudgeCheckSettings(labels=written(tmp_path, [line]))).labelled

    assert (one.sample.input, one.answer) == ("user: Capital?", "Paris")
    assert one.sample.references == ("Paris",)


# --- the report


def checked(label: str | None, said: str | None, length: int = 1) -> CheckedAnswer:
    of_people = None if label is None else YES_NO.find(label)
    of_judge = None if said is None else YES_NO.find(said)
    return CheckedAnswer("x", "answer", of_people, of_judge, n_characters=length)


def test_the_report_says_what_who_knows_nothing_would_reach() -> None:
    answers = [checked("yes", "yes")] * 8 + [checked("no", "yes")] * 2

    report = make_report(answers, YES_NO, "nominal")

    assert (report.agreement, report.base_rate, report.most_frequent) == (0.8, 0.8, "yes")
    assert report.kappa == 0.0
    assert "the judge agrees no more often than who always says 'yes'" in report.warnings
    assert "10 labels are few" in report.warnings[0]
    assert report.confusion == (("no", "yes", 2), ("yes", "yes", 8))


def test_labels_on_a_part_correct_the_mean_of_all() -> None:
    labelled = [checked("yes", "yes"), checked("no", "yes"), checked("no", "no")] * 20

    report = make_report([*labelled, *[checked(None, "yes")] * 40], YES_NO, "nominal")

    assert report.judged_mean == 0.8
    assert report.label_mean == pytest.approx(1 / 3)
    assert report.corrected is not None
    assert report.corrected.estimate < 0.6


def test_a_judge_that_favours_length_is_told_from_one_that_errs_by_chance() -> None:
    by_length = [
        checked(label, "yes" if n > 25 else "no", n) for n in range(50) for label in ("yes", "no")
    ]
    wrong_is_longer = [
        checked("no" if n > 25 else "yes", "yes" if n % 2 else "no", n) for n in range(50)
    ]

    assert (make_report(by_length, YES_NO, "nominal").length_bias or 0) > 0.8
    assert abs(make_report(wrong_is_longer, YES_NO, "nominal").length_bias or 1) < 0.1


@pytest.mark.parametrize(
    ("first", "second", "given", "expected"),
    [  # by residuals of ranks: scipy 1.17.1 rankdata and pearsonr, numpy lstsq
        (
            [1, 0, 1, 1, 0, 1, 1, 0],
            [10, 30, 20, 50, 5, 40, 60, 25],
            [1, 1, 0, 1, 0, 0, 1, 0],
            0.32410186177608213,
        ),
        (
            [7, 3, 5, 9, 2, 5, 8],
            [100, 40, 90, 80, 10, 60, 70],
            [6, 4, 5, 7, 1, 6, 9],
            0.6410027983025306,
        ),
        ([1, 0, 1, 1], [4, 2, 3, 1], [1, 0, 1, 1], None),
        ([1, 1, 1, 1], [4, 2, 3, 1], [1, 0, 1, 1], None),
        ([1, 0, 1], [4, 2, 3], [1, 1, 0], None),
    ],
)
def test_partial_spearman_is_the_correlation_of_what_is_left(
    first: list[float], second: list[float], given: list[float], expected: float | None
) -> None:
    found = partial_spearman(first, second, given)

    assert found == (expected if expected is None else pytest.approx(expected, rel=1e-12))


# --- the command


def run_file(folder: Path, address: str) -> Path:
    path = folder / "eval.yaml"
    path.write_text(
        "models: [echo/any]\n"
        "tasks: [{dataset: 'jsonl:faq.jsonl'}]\n"
        "metrics: [judge]\n"
        f"roles: {{judge: {{name: openai/judge, base_url: '{address}', api_key: none}}}}\n",
        encoding="utf-8",
    )
    return path


def judge(*words: str | Path) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_a_check_is_told_and_kept_and_void_when_the_rubric_changes(
    tmp_path: Path, judge_server: str
) -> None:
    labels, config = written(tmp_path, rows()), run_file(tmp_path, judge_server)
    own = tmp_path / "ours.yaml"
    own.write_text((READY_RUBRICS / "correctness.yaml").read_text("utf-8"), encoding="utf-8")
    home = tmp_path / "home"

    done = judge("check", labels, "-c", config, "-r", own, "--home", home, "--quiet")

    assert done.exception is None, done.output
    assert done.output.splitlines()[:11] == [
        "openai/judge (served by judge-2026), correctness",
        "12 answers, 10 with a label, 0 without a verdict; 10 compared",
        "",
        "people \\ judge    yes     no",
        "yes                 6      0",
        "no                  0      4",
        "",
        "agreement     1.000 [0.722, 1.000]",
        "base rate     0.600  (always 'yes')",
        "Cohen's kappa 1.000",
        "mean          0.600 by people, 0.600 by the judge, of the same answers",
    ]
    ((_, kept),) = stored(home)
    assert kept is not None
    assert (kept.kappa, kept.n_compared, kept.served_by) == (1.0, 10, ("judge-2026",))
    assert kept.problem() is None
    assert kept.problem(frozenset({"judge-2027"})) == "the model is served by judge-2027 now"
    assert "  holds\n" in judge("list", "--home", home).output

    own.write_text(own.read_text("utf-8").replace("Other words", "Words"), encoding="utf-8")

    assert kept.problem() == "the rubric or the judge's prompt has changed"
    assert (
        "void: the rubric or the judge's prompt has changed" in judge("list", "--home", home).output
    )


def test_a_check_that_cannot_be_kept_is_told_all_the_same(
    tmp_path: Path, judge_server: str
) -> None:
    labels, config = written(tmp_path, rows()), run_file(tmp_path, judge_server)
    home = tmp_path / "home"
    home.mkdir()
    (home / "judges").touch()

    done = judge("check", labels, "-c", config, "--home", home, "--quiet")

    assert "Cohen's kappa 1.000" in done.output
    assert str(done.exception).startswith("the calibration cannot be kept: ")


def test_a_second_check_asks_nothing_again(tmp_path: Path, judge_server: str) -> None:
    labels, config = written(tmp_path, rows()), run_file(tmp_path, judge_server)
    words = ("check", labels, "-c", config, "--home", tmp_path / "home", "--json")

    first, second = judge(*words), judge(*words)

    assert first.exception is None, first.output
    assert json.loads(first.output) == json.loads(second.output)
    assert json.loads(first.output)["kappa"] == 1.0
    assert json.loads(first.output)["judge"] == "openai/judge"


def test_verdicts_that_stand_in_the_file_need_no_judge(tmp_path: Path) -> None:
    lines = [{**row, "verdict": "yes"} for row in rows()]

    done = judge("check", written(tmp_path, lines), "--json")

    assert done.exception is None, done.output
    found = json.loads(done.output)
    assert (found["agreement"], found["kappa"], found["n_compared"]) == (0.6, 0.0, 10)
    assert found["examples"][0]["id"] == "q0"


def test_the_guide_shows_what_is_printed(tmp_path: Path) -> None:
    pairs: list[tuple[str | None, str]] = [("yes", "yes")] * 34
    pairs += [("no", "yes")] * 6 + [("no", "no")] * 13 + [("yes", "no")] * 2
    pairs += [(None, "yes")] * 4 + [(None, "no")]
    lines = [
        {
            "id": 3 * n % 61,
            "input": f"question {n}",
            "reference": "r",
            "answer": "It is Lyon." * (1 + n * n % 37),
            "label": label,
            "verdict": said,
        }
        for n, (label, said) in enumerate(pairs)
    ]
    guide = (Path(__file__).parents[3] / "docs" / "judges.md").read_text("utf-8")

    done = judge("check", written(tmp_path, lines))

    shown = guide.split("```\n60 answers, ")[1].split("```")[0].splitlines()
    expected = done.output.removeprefix("60 answers, ").splitlines()
    assert expected[: len(shown)] == shown


def test_who_is_to_judge_must_be_said(tmp_path: Path) -> None:
    done = judge("check", written(tmp_path, rows()))

    assert str(done.exception) == (
        "there is no judge to ask, and no 'verdict' in the file\n"
        "  try:   name the judge: `--judge provider/model`, or a run file with `roles`: `--config`"
    )


def test_a_role_that_the_run_file_has_not_is_explained(tmp_path: Path, judge_server: str) -> None:
    config = run_file(tmp_path, judge_server)

    done = judge("check", written(tmp_path, rows()), "-c", config, "--role", "referee")

    assert str(done.exception) == (
        f"no model has the role 'referee'\n  where: {config}\n"
        "  try:   name one: `roles: {referee: provider/model}`"
    )


def test_rubrics_are_listed_and_shown() -> None:
    listed, shown = judge("rubrics"), judge("rubrics", "correctness")

    assert "correctness         version 1" in listed.output
    assert shown.output == (READY_RUBRICS / "correctness.yaml").read_text("utf-8")
    assert json.loads(judge("rubrics", "--json").output)[0]["name"] == "correctness"


def test_a_file_that_is_no_calibration_is_named(tmp_path: Path) -> None:
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "x.json").write_text("{}", encoding="utf-8")

    done = judge("list", "--home", tmp_path)

    assert done.output == f"{tmp_path}/judges/x.json: no calibration\n"


def test_a_calibration_has_the_judge_in_its_fingerprint() -> None:
    common: dict[str, Any] = {
        "rubric": "correctness", "version": 1, "served_by": (), "verdict_by": "auto",
        "ask_again": True, "max_reason": None, "n_compared": 1,
        "n_unscored": 0, "agreement": None, "base_rate": None,
        "kappa": None, "weights": "nominal", "labels": "", "checked_at": 0.0,
    }  # fmt: skip

    prints = {
        Calibration(**common, asked=asked, model=model).fingerprint
        for asked in ("a", "b")
        for model in ("m/1", "m/2")
    }

    assert len(prints) == 4


@pytest.mark.parametrize("rubric", ["correctness", "quality", "preference"])
async def test_the_kit_finds_nothing_wrong_with_the_task(
    rubric: str, tmp_path: Path, verdict: Verdicts
) -> None:
    label: Any = {"correctness": "yes", "quality": 7, "preference": "first"}[rubric]
    other = {"other": "Lyon"} if rubric == "preference" else {}
    lines = [
        {"input": f"q{n}", "reference": "Paris", "answer": f"Paris {n}", "label": label, **other}
        for n in range(5)
    ]
    task = JudgeCheck(JudgeCheckSettings(labels=written(tmp_path, lines), rubric=rubric))

    await check_task(
        task, answer=lambda question, role: Generation((verdict(label),), finish_reason="stop")
    )
