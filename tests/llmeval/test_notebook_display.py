"""What a notebook shows of a run, as HTML."""

from __future__ import annotations

from llmeval.notebook_display import MOST_FINISHED, NotebookDisplay

from llmeval_core.records import Generation, Sample, SampleResult
from llmeval_core.testing import make_task_result

DONE = SampleResult(0, Sample("s", "question"), None, Generation(("x",)), {})


def test_a_bar_counts_what_is_finished_of_what_there_is() -> None:
    display = NotebookDisplay()
    meter = display.task_started("m/x", "d_0shot", 4)
    meter.samples_skipped(2)

    meter.sample_finished(DONE, n_under_way=1)

    assert '<progress max="4" value="3">' in display.as_html()
    assert "3/4 · " in display.as_html()


def test_a_model_that_is_opened_is_said_so_until_it_answers() -> None:
    display = NotebookDisplay()
    meter = display.task_started("m/x", "d_0shot", 4)
    display.model_opening("m/x")

    before = display.as_html()
    meter.sample_finished(DONE, n_under_way=0)

    assert "opening the model ..." in before
    assert "opening the model ..." not in display.as_html()


def test_of_many_finished_tasks_the_last_ones_stay() -> None:
    display = NotebookDisplay()
    display.task_started("m/x", "first", 4)
    for number in range(MOST_FINISHED + 5):
        meter = display.task_started("m/x", f"task_{number}", 1)
        meter.task_finished(make_task_result(), reused=True)

    shown = display.as_html()

    assert "5 more tasks are finished" in shown
    assert shown.count("<tr>") == MOST_FINISHED + 1
    assert "m/x first" in shown
    assert "task_4<" not in shown
    assert "task_5<" in shown


def test_no_text_is_html() -> None:
    display = NotebookDisplay()

    display.message("<b>down</b> \x1b[31m")

    assert "<div>&lt;b&gt;down&lt;/b&gt; \\x1b[31m</div>" in display.as_html()
