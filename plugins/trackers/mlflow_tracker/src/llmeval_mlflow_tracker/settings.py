"""The settings of the MLflow tracker."""

from __future__ import annotations

from pydantic import Field

from llmeval_core.hooks import Settings
from llmeval_mlflow_tracker.metric_values import StderrPlace
from llmeval_mlflow_tracker.outcome_metrics import OutcomeMetrics

DEFAULT_EXPERIMENT = "model_evaluation"


class MlflowSettings(Settings):
    """Where results go in MLflow, and what of them."""

    tracking_uri: str | None = Field(
        default=None,
        description="Any tracking URI that MLflow knows. Left out: MLFLOW_TRACKING_URI, "
        "or else an SQLite file in the project's folder.",
    )
    experiment: str = Field(
        default=DEFAULT_EXPERIMENT, min_length=1, description="The experiment with the runs."
    )
    stderr: StderrPlace = Field(
        default="metric",
        description="Standard errors as `{key}_stderr` metrics, in the description and the score "
        "table only, or nowhere.",
    )
    outcomes: OutcomeMetrics = Field(
        default="none",
        description="Metrics that tell how samples ended: `unanswered` for their number"
        " `{task}_n` and the share `{task}_unanswered`, `all` for `{task}_truncated` and the other"
        " shares too.",
    )
    max_metrics: int | None = Field(
        default=None,
        ge=1,
        description="Most metrics, which are columns, on a run; further scores are shown in the "
        "description and the score table only. Left out: no limit.",
    )
    max_table_rows: int = Field(
        default=1000, ge=0, description="Samples in a task's table; 0 for no table."
    )
    traces: int = Field(
        default=0, ge=0, description="Samples of a task that get a trace; 0 for no traces."
    )
    heal: bool = Field(
        default=True,
        description="Merge other runs of the same model into its one run, and bin them.",
    )
    timeout_s: float = Field(
        default=15.0, gt=0, description="Longest time for one delivery in all, seconds."
    )
