"""A check of a judge as lines of text, and as JSON."""

from __future__ import annotations

from llmeval_core.hooks import Json
from llmeval_judges.check_report import CheckedAnswer, CheckReport
from llmeval_judges.prediction_powered import FEWEST_FOR_INTERVAL
from llmeval_judges.scale import Scale

_CORNER = "people \\ judge"


def report_lines(report: CheckReport, scale: Scale) -> list[str]:
    """Write a check for people to read: disagreements before conclusions."""
    lines = [
        f"{report.n} answers, {report.n_labelled} with a label, {report.n_unscored} without a"
        f" verdict; {report.n_compared} compared",
    ]
    if report.n_compared:
        lines += ["", *_confusion_lines(report, scale), ""]
        lines += [*_agreement_lines(report), *_mean_lines(report), *_bias_lines(report)]
    if report.examples:
        lines += ["", "Where they disagree, the widest first:"]
        lines += [line for one in report.examples for line in _example_lines(one)]
    if report.lacking:
        lines += ["", "Without a verdict:"]
        lines += [f"  {one.id}: {_short(one.reason, 140)}" for one in report.lacking]
    lines += (
        ["", *(f"warning: {warning}" for warning in report.warnings)] if report.warnings else []
    )
    return lines


def report_json(report: CheckReport) -> dict[str, Json]:
    """Return a check as JSON."""
    corrected: Json = None
    if report.corrected is not None:
        low, high = report.corrected.interval()
        is_enough = report.n_compared >= FEWEST_FOR_INTERVAL
        corrected = {
            "estimate": report.corrected.estimate,
            "stderr": report.corrected.stderr,
            "interval": [low, high] if is_enough else None,
            "weight": report.corrected.weight,
        }
    interval = report.agreement_interval
    return {
        "n": report.n,
        "n_labelled": report.n_labelled,
        "n_unscored": report.n_unscored,
        "n_compared": report.n_compared,
        "agreement": report.agreement,
        "agreement_interval": None if interval is None else list(interval),
        "base_rate": report.base_rate,
        "most_frequent": report.most_frequent,
        "kappa": report.kappa,
        "weights": report.weights,
        "confusion": [
            {"label": label, "verdict": verdict, "n": n} for label, verdict, n in report.confusion
        ],
        "label_mean": report.label_mean,
        "verdict_mean": report.verdict_mean,
        "judged_mean": report.judged_mean,
        "corrected": corrected,
        "length_bias": report.length_bias,
        "n_flips": report.n_flips,
        "n_first": report.n_first,
        "examples": [_example_json(one) for one in report.examples],
        "lacking": [_example_json(one) for one in report.lacking],
        "warnings": [*report.warnings],
    }


def _agreement_lines(report: CheckReport) -> list[str]:
    interval = ""
    if report.agreement_interval is not None:
        low, high = report.agreement_interval
        interval = f" [{low:.3f}, {high:.3f}]"
    kappa = "none" if report.kappa is None else f"{report.kappa:.3f}"
    weights = "" if report.weights == "nominal" else f", {report.weights} weights"
    return [
        f"agreement     {_number(report.agreement)}{interval}",
        f"base rate     {_number(report.base_rate)}  (always '{report.most_frequent}')",
        f"Cohen's kappa {kappa}{weights}",
    ]


def _mean_lines(report: CheckReport) -> list[str]:
    lines = [
        f"mean          {_number(report.label_mean)} by people, {_number(report.verdict_mean)} by"
        " the judge, of the same answers",
    ]
    if report.corrected is not None:
        low, high = report.corrected.interval()
        interval = f" [{low:.3f}, {high:.3f}]" if report.n_compared >= FEWEST_FOR_INTERVAL else ""
        lines.append(
            f"mean of all   {_number(report.judged_mean)} by the judge, corrected by the labels"
            f" {report.corrected.estimate:.3f}{interval} (PPI++)"
        )
    return lines


def _bias_lines(report: CheckReport) -> list[str]:
    lines = []
    if report.length_bias is not None:
        lines.append(
            f"length bias   {report.length_bias:+.3f}  (rank correlation of verdict and length,"
            " beyond what the labels explain)"
        )
    if report.n_flips is not None:
        n = report.n - report.n_unscored
        lines.append(
            f"position bias {report.n_flips} of {n} verdicts go with the place:"
            f" {report.n_first} with the first, {report.n_flips - (report.n_first or 0)} with the"
            " second; they count as ties"
        )
    return lines


def _confusion_lines(report: CheckReport, scale: Scale) -> list[str]:
    """Write the table of labels and verdicts, without rows and columns that are empty."""
    cells = {(label, verdict): n for label, verdict, n in report.confusion}
    rows = [one for one in scale.labels if any(label == one for label, _ in cells)]
    columns = [one for one in scale.labels if any(verdict == one for _, verdict in cells)]
    first = max(len(_CORNER), *map(len, rows))
    widths = [max(len(column), 5) for column in columns]
    header = "  ".join(f"{one:>{width}}" for one, width in zip(columns, widths, strict=True))
    lines = [f"{_CORNER:<{first}}  {header}"]
    for row in rows:
        numbers = (cells.get((row, column), 0) for column in columns)
        counts = "  ".join(f"{n:>{width}}" for n, width in zip(numbers, widths, strict=True))
        lines.append(f"{row:<{first}}  {counts}")
    return lines


def _example_lines(one: CheckedAnswer) -> list[str]:
    label, verdict = _label(one)
    lines = [
        f"  {one.id}: people {label}, judge {verdict}",
        f"    answer: {_short(one.answer, 140)}",
    ]
    return [*lines, f"    reason: {_short(one.reason, 140)}"] if one.reason.strip() else lines


def _example_json(one: CheckedAnswer) -> Json:
    label, verdict = _label(one)
    return {
        "id": one.id,
        "answer": one.answer,
        "label": label,
        "verdict": verdict,
        "reason": one.reason,
    }


def _label(one: CheckedAnswer) -> tuple[str | None, str | None]:
    return one.label.label if one.label else None, one.verdict.label if one.verdict else None


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
