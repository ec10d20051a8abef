"""The pages for those who come from another harness: their files and commands work as written."""

from __future__ import annotations

import json
import random
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.papers import ROOT, blocks

if TYPE_CHECKING:
    from tests.conftest import Llmeval

DOCS = ROOT / "docs"
TRAIN = [{"question": f"質問{number}", "answers": [f"答え{number}"]} for number in range(30)]


def data_of(page: str) -> str:
    (data,) = blocks(DOCS / f"{page}.md", "json")
    return data.text


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


@pytest.fixture
def our_llmeval(llmeval: Llmeval, monkeypatch: pytest.MonkeyPatch) -> Llmeval:
    """Give the command line with all plugins that are installed."""
    monkeypatch.delenv("LLMEVAL_DISABLE_PLUGINS")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return llmeval


@pytest.fixture
def files(work: Path) -> None:
    """Write what the pages show or name, into the folder that tests work in."""
    write("capitals.jsonl", data_of("inspect"))
    file = json.loads(data_of("llm-jp-eval"))
    write("dataset/evaluation/test/capitals.json", json.dumps(file))
    examples = [{"input": f"国{number}の首都は？", "output": f"市{number}"} for number in range(5)]
    write("dataset/evaluation/train/capitals.json", json.dumps({**file, "samples": examples}))
    write("quiz.jsonl", data_of("flexeval"))
    write("train.jsonl", "".join(f"{json.dumps(row)}\n" for row in TRAIN))


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("page", ["inspect", "llm-jp-eval", "flexeval"])
def test_the_run_file_and_the_commands_work_as_written(our_llmeval: Llmeval, page: str) -> None:
    (run_file,) = blocks(DOCS / f"{page}.md", "yaml")
    (steps,) = (block for block in blocks(DOCS / f"{page}.md", "console") if block.is_run)
    write("eval.yaml", run_file.text)

    printed = []
    for command in steps.commands:
        finished = our_llmeval(*shlex.split(command)[1:])
        assert finished.exit_code == 0, finished.stderr
        printed += finished.stdout.splitlines()

    assert [line for line in steps.output if line not in printed] == []
    assert our_llmeval("plan", "eval.yaml").exit_code == 0  # with the page's own models


@pytest.mark.usefixtures("files")
def test_examples_are_those_of_flexevals_random_generator(our_llmeval: Llmeval) -> None:
    (run_file,) = blocks(DOCS / "flexeval.md", "yaml")
    write("eval.yaml", run_file.text)

    shown = our_llmeval("plan", "eval.yaml", "-m", "echo/any", "--prompts", "3").stdout

    chance = random.Random(42)  # RandomFewShotGenerator of flexeval 0.18.3: one for all instances
    for line in data_of("flexeval").splitlines():
        drawn = [TRAIN[place] for place in chance.sample(range(len(TRAIN)), 2)]
        examples = [f"{row['question']}答えは「{row['answers'][0]}」" for row in drawn]
        prompt = [*examples, f"{json.loads(line)['question']}答えは「"]
        assert all(text in shown for text in prompt)
        assert shown.index(examples[0]) < shown.index(prompt[-1])
