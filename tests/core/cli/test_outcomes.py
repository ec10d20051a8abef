"""What is not an answer is shown: in a run, in `results`, in `samples` (case s06-cut-off-...)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

RUN = ("run", "-m", "endings/any", "-d", "ways")


@pytest.fixture(autouse=True)
def endings(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("endings")


def whole(finished: str) -> dict[str, Any]:
    """Return the whole-task cell of `results --json`."""
    (cell,) = [cell for cell in json.loads(finished) if cell["category"] is None]
    return dict(cell)


def ids(lines: str) -> list[str]:
    return [json.loads(line)["id"] for line in lines.splitlines()]


def test_s06_a_run_says_how_many_answers_were_cut_off_and_what_to_set(llmeval: Llmeval) -> None:
    finished = llmeval(*RUN, "--max-tokens", "16")

    assert (
        "WARNING: ways_0shot: 2 of 8 answers were cut off at max_tokens=16;"
        " raise generation.max_tokens (20% of what was written is reasoning);"
        " 1 empty, 1 refused, 1 filtered of 8 answers;"
        " `llmeval samples ways_0shot --outcome truncated` shows them\n"
    ) in finished.stdout
    assert "(2 cut off, 1 empty, 1 refused, 1 filtered)" in finished.stdout
    assert "2 cut off, 1 empty, 1 refused, 1 filtered" in finished.stderr
    assert finished.exit_code == 0


def test_s06_without_a_limit_of_ours_it_was_the_servers(llmeval: Llmeval) -> None:
    finished = llmeval(*RUN)

    assert "cut off at the limit of the server; set generation.max_tokens" in finished.stdout


def test_nothing_is_said_where_all_is_answered(llmeval: Llmeval) -> None:
    finished = llmeval(*RUN, "--limit", "2")

    assert "answers" not in finished.stdout
    assert finished.exit_code == 0


def test_s06_a_reused_result_says_it_again(llmeval: Llmeval) -> None:
    llmeval(*RUN)

    finished = llmeval(*RUN)

    assert "WARNING: ways_0shot: 2 of 8 answers were cut off" in finished.stdout
    assert " 0 requests, " in finished.stdout


def test_json_of_a_run_has_counts_and_notes(llmeval: Llmeval) -> None:
    found = json.loads(llmeval(*RUN, "--json").stdout)

    assert found["results"][0]["outcomes"] == {
        "answered": 3,
        "truncated": 2,
        "empty": 1,
        "refused": 1,
        "filtered": 1,
    }
    assert found["results"][0]["n_reasoning_tokens"] == 80
    assert found["notes"][0].startswith("WARNING: ways_0shot: 2 of 8 answers were cut off")


def test_s06_results_show_the_counts_in_every_form(llmeval: Llmeval) -> None:
    llmeval(*RUN)

    table = llmeval("results").stdout
    (row,) = csv.DictReader(llmeval("results", "--format", "csv").stdout.splitlines())

    assert "2 cut off" in table
    assert "WARNING: ways_0shot: 2 of 8 answers were cut off" in table
    assert (
        "(2 cut off, 1 empty, 1 refused, 1 filtered) |"
        in llmeval("results", "--format", "md").stdout
    )
    assert whole(llmeval("results", "--json").stdout)["outcomes"]["truncated"] == 2
    assert {name: row[name] for name in row if ":" in name} == {
        "ways_0shot:truncated": "2",
        "ways_0shot:empty": "1",
        "ways_0shot:refused": "1",
        "ways_0shot:filtered": "1",
    }


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        (["truncated"], ["w2", "w3"]),
        (["empty"], ["w4"]),
        (["filtered", "refused"], ["w5", "w6"]),
        (["answered"], ["w0", "w1", "w7"]),
        (["unscored"], []),
    ],
)
def test_samples_can_be_chosen_by_how_they_ended(
    outcomes: list[str], found: list[str], llmeval: Llmeval
) -> None:
    llmeval(*RUN)
    options = [text for outcome in outcomes for text in ("--outcome", outcome)]

    finished = llmeval("samples", "ways_0shot", *options, "--json")

    assert ids(finished.stdout) == found


def test_wrong_samples_can_be_chosen_among_those_that_ended_so(llmeval: Llmeval) -> None:
    llmeval(*RUN)

    both = llmeval("samples", "ways_0shot", "--wrong", "--outcome", "answered", "--json")

    assert ids(both.stdout) == []
    assert len(ids(llmeval("samples", "ways_0shot", "--wrong", "--json").stdout)) == 5


def test_s06_a_sample_is_shown_with_its_end_its_thought_and_the_refusal(llmeval: Llmeval) -> None:
    llmeval(*RUN)

    shown = llmeval("samples", "ways_0shot", "--limit", "0").stdout

    assert "── 2 · w2 · even · endings/any · truncated\n" in shown
    assert "thought   It could be London (40 tokens)\nanswered  Paris\n" in shown
    assert "thought   Maybe London.\nanswered  Paris\n" in shown
    assert "Let me see. … (40 tokens; --json has all)\nanswered  \n" in shown
    assert "── 6 · w6 · even · endings/any · refused\n" in shown
    assert "answered  \nrefused   I would rather not.\n" in shown


def test_the_journal_keeps_the_raw_text(llmeval: Llmeval) -> None:
    llmeval(*RUN)

    (line,) = [
        found
        for found in llmeval("samples", "ways_0shot", "--json").stdout.splitlines()
        if json.loads(found)["id"] == "w7"
    ]

    assert json.loads(line)["answered"]["texts"] == ["Maybe London.</think>Paris"]


def run_file(**keys: object) -> None:
    Path("eval.yaml").write_text(
        json.dumps({"models": ["endings/any"], "tasks": [{"dataset": "ways"}], **keys}), "utf-8"
    )


def test_answers_that_were_cut_off_can_be_left_out_and_then_it_is_a_bound(llmeval: Llmeval) -> None:
    run_file(truncated="exclude")

    finished = llmeval("run", "eval.yaml", "--max-tokens", "16")
    cells = {
        cell["key"]: cell
        for cell in json.loads(llmeval("results", "--json", "--categories").stdout)
    }
    aggregate = cells["ways_0shot_right"]["aggregate"]

    assert (
        "WARNING: ways_0shot: 2 of 8 answers were cut off at max_tokens=16;"
        " raise generation.max_tokens; they are left out, so the number is only a bound:"
        " with them right 0.375 to 0.625;"
    ) in finished.stdout
    assert "(2 cut off and left out, 1 empty, 1 refused, 1 filtered)" in finished.stdout
    assert "0 failed" in finished.stdout
    assert (aggregate["value"], aggregate["n_scored"], aggregate["n_excluded"]) == (0.5, 6, 2)
    assert aggregate["bounds"] == [0.375, 0.625]
    assert cells["ways_0shot_right/even"]["aggregate"]["bounds"] == [0.25, 0.5]


def test_a_task_has_the_last_word_and_nothing_is_asked_again(llmeval: Llmeval) -> None:
    run_file(truncated="exclude")
    llmeval("run", "eval.yaml")
    run_file(truncated="exclude", tasks=[{"dataset": "ways", "truncated": "score"}])

    finished = json.loads(llmeval("run", "eval.yaml", "--json").stdout)

    assert finished["n_requests"] == 0
    assert finished["results"][0]["metrics"][0]["aggregate"]["value"] == 0.375


def test_other_tags_score_again_without_asking_the_model(llmeval: Llmeval) -> None:
    run_file()
    llmeval("run", "eval.yaml")
    run_file(reasoning_tags=[])

    finished = json.loads(llmeval("run", "eval.yaml", "--json").stdout)

    assert finished["n_requests"] == 0
    assert finished["results"][0]["metrics"][0]["aggregate"]["value"] == 0.25
    shown = llmeval("samples", "ways_0shot", "--outcome", "answered").stdout
    assert "answered  Maybe London.</think>Paris\n" in shown


@pytest.mark.parametrize(
    "where",
    [
        {"reasoning_tags": []},
        {"models": [{"name": "endings/any", "reasoning_tags": []}]},
        {"tasks": [{"dataset": "ways", "reasoning_tags": []}]},
        {"reasoning_tags": [["<a>", "</a>"]], "tasks": [{"dataset": "ways", "reasoning_tags": []}]},
    ],
)
def test_tags_can_be_set_for_a_run_a_model_and_a_task(
    where: dict[str, object], llmeval: Llmeval
) -> None:
    run_file(**where)

    found = json.loads(llmeval("run", "eval.yaml", "--json").stdout)

    assert found["results"][0]["settings"]["reasoning_tags"] == []
    assert found["results"][0]["outcomes"]["answered"] == 4


@pytest.mark.parametrize("tags", ["<think>", [["<think>"]], [["", "</think>"]], [["<a>", " "]]])
def test_tags_that_are_no_pairs_are_refused(tags: object, llmeval: Llmeval) -> None:
    run_file(reasoning_tags=tags)

    finished = llmeval("run", "eval.yaml")

    assert "where: eval.yaml" in finished.stderr
    assert "reasoning_tags" in finished.stderr
    assert finished.exit_code == 2


def test_answers_can_be_asked_again_by_how_they_ended_and_only_once(llmeval: Llmeval) -> None:
    llmeval(*RUN)

    once = llmeval(*RUN, "--again", "empty", "--again", "id:w0")
    twice = llmeval(*RUN, "--again", "empty", "--again", "id:w0")
    anew = llmeval(*RUN, "--again", "empty", "--again", "id:w0", "--anew")

    assert "2 answers were asked again and replaced" in once.stderr
    assert "8 samples, 2 requests, " in once.stdout
    assert "nothing left to ask again since" in twice.stderr
    assert "8 samples, 0 requests, " in twice.stdout
    assert "8 samples, 2 requests, " in anew.stdout


def test_a_filter_that_is_not_known_ends_the_run_before_it_begins(llmeval: Llmeval) -> None:
    finished = llmeval(*RUN, "--again", "truncted")

    assert finished.stderr == (
        "error: 'truncted' does not say what to ask again\n"
        "  where: --again truncted\n"
        "  try:   did you mean 'truncated'?\n"
    )
    assert finished.exit_code == 2
