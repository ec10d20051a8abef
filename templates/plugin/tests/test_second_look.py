"""The solver keeps every promise that the conformance checks know, and runs."""

from __future__ import annotations

from pathlib import Path

from llmeval_example_plugin.second_look import SecondLook, SecondLookSettings

from llmeval_core.hooks import Generation, Question
from llmeval_core.testing import FakeModel, check_plugin, check_solver, run_in


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.second_look")

    assert set(plugin.registered) == {"solvers"}


async def test_the_second_answer_counts() -> None:
    def turns(question: Question, role: str) -> Generation:
        return Generation((f"after {len(question.messages)} messages",))

    answers = await check_solver(SecondLook(SecondLookSettings()), answer=turns)

    assert {answer.text for answer in answers} == {"after 3 messages"}


async def test_an_empty_answer_is_not_looked_at_again() -> None:
    answers = await check_solver(
        SecondLook(SecondLookSettings()), answer=lambda question, role: Generation(("",))
    )

    assert {answer.text for answer in answers} == {""}


async def test_a_whole_run(tmp_path: Path) -> None:
    model = FakeModel(lambda asked: "Paris" if asked == "Sure?" else "Rome")

    outcome = await run_in(
        tmp_path,
        models={"fake": model},
        solvers={"second_look": SecondLook(SecondLookSettings(request="Sure?"))},
        tasks=[{"dataset": "fake", "solver": "second_look"}],
    )

    assert outcome.summary.n_failed == 0
    assert [len(request.messages) for request in model.requests].count(3) == 3
