"""llmeval from Python: evaluate models, read results and samples.

    import llmeval

    report = llmeval.run(
        models=["openai/gpt-4o-mini"],
        tasks=["commonsense_qa", {"dataset": "jsonl:faq.jsonl", "metrics": ["exact_match"]}],
        trackers=["mlflow"],
        limit=100,
    )
    report.results               # a table of numbers; `.records()`, `.to_pandas()`
    llmeval.results()            # the leaderboard of the project's folder
    llmeval.samples("commonsense_qa_0shot", wrong=True)

All three work in a script, in a notebook and inside a running event loop. What a user can act on is
an `LlmevalError`; nothing here ends the process. docs/python.md is the manual.
"""

from llmeval.evaluating import run, run_async
from llmeval.result_table import ResultRow, ResultTable, results
from llmeval.run_keywords import Components, Models, RunKeywords, Tasks
from llmeval.run_report import RunError, RunReport
from llmeval.sample_table import SampleTable, samples
from llmeval_core.api import (
    ConfigError,
    LlmevalError,
    Outcome,
    Progress,
    SampleResult,
    TaskMeter,
    TaskResult,
    UnknownNameError,
    __version__,
)

__all__ = [
    "Components",
    "ConfigError",
    "LlmevalError",
    "Models",
    "Outcome",
    "Progress",
    "ResultRow",
    "ResultTable",
    "RunError",
    "RunKeywords",
    "RunReport",
    "SampleResult",
    "SampleTable",
    "TaskMeter",
    "TaskResult",
    "Tasks",
    "UnknownNameError",
    "__version__",
    "results",
    "run",
    "run_async",
    "samples",
]
