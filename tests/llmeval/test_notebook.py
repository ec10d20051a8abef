"""llmeval in a notebook: a real kernel, which runs cells inside its own event loop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

SETUP = """
import llmeval
open("faq.jsonl", "w").write('{"input": "<b>HELLO</b>", "output": "<b>HELLO</b>"}\\n' * 3)
"""
RUN = """
import asyncio
asyncio.get_running_loop()   # a cell runs inside one
report = llmeval.run(
    models="echo/any", tasks=[{"dataset": "jsonl:faq.jsonl", "metrics": ["exact_match"]}]
)
report
"""
SAMPLES = 'llmeval.samples("faq_0shot", limit=2)'
FRAME = """
frame = llmeval.results().to_pandas()
print(len(frame), frame.loc[0, "value"], type(frame).__name__)
"""
AWAITED = """
again = await llmeval.run_async(
    models="echo/any", tasks={"dataset": "jsonl:faq.jsonl", "metrics": ["exact_match"]}
)
print(again.n_requests)
"""
REFUSED = 'llmeval.run(models="echo/any", tasks="jsonl:nowhere.jsonl")'


def execute(folder: Path, *cells: str) -> list[list[dict[str, Any]]]:
    """Run cells in a new kernel, and return the outputs of each; Any: as notebooks are stored."""
    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]  # theirs
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells]  # type: ignore[no-untyped-call]
    )
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return [cell["outputs"] for cell in notebook["cells"]]


def html_of(outputs: list[dict[str, Any]]) -> list[str]:
    return [out["data"]["text/html"] for out in outputs if "text/html" in out.get("data", {})]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    """Run the cells that work."""
    folder = tmp_path_factory.mktemp("notebook")
    return execute(folder, SETUP, RUN, SAMPLES, FRAME, AWAITED)


def test_progress_is_one_output_that_ends_with_what_became_of_the_task(
    outputs: list[list[dict[str, Any]]],
) -> None:
    (progress, _) = html_of(outputs[1])

    assert "echo/any faq_0shot" in progress
    assert '<progress max="3" value="3">' in progress
    assert "3 samples in" in progress


def test_the_report_is_shown_as_a_leaderboard(outputs: list[list[dict[str, Any]]]) -> None:
    (_, report) = html_of(outputs[1])

    assert "<th>faq_0shot_exact_match</th>" in report
    assert "1.000 [0.439, 1.000] n=3" in report
    assert "3 samples, " in report


def test_samples_are_a_table_in_which_no_text_is_html(
    outputs: list[list[dict[str, Any]]],
) -> None:
    (table,) = html_of(outputs[2])

    assert "&lt;b&gt;HELLO&lt;/b&gt;" in table
    assert "<b>" not in table


def test_results_are_a_frame(outputs: list[list[dict[str, Any]]]) -> None:
    assert outputs[3][0]["text"] == "1 1.0 DataFrame\n"


def test_a_run_can_be_awaited(outputs: list[list[dict[str, Any]]]) -> None:
    assert [out["text"] for out in outputs[4] if out.get("name") == "stdout"] == ["0\n"]


def test_an_error_ends_the_cell_and_not_the_kernel(tmp_path: Path) -> None:
    survived = "open('alive.json', 'w').write('true')"

    with pytest.raises(CellExecutionError) as ended:
        execute(tmp_path, "import llmeval", REFUSED)
    execute(
        tmp_path,
        f"import llmeval\ntry:\n    {REFUSED}\nexcept llmeval.LlmevalError:\n    {survived}",
    )

    assert "nowhere.jsonl" in ended.value.evalue
    assert json.loads((tmp_path / "alive.json").read_text()) is True
