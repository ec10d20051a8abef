"""What people should know of a task's samples that were not simply answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llmeval_core.api.group_members import group_members
from llmeval_core.records import Outcome, TaskResult

MUCH_CUT_OFF = 0.02
"""From this share of answers that were cut off on, a result is not to be trusted."""
MOST_NOTES = 20

_WORDS: Mapping[Outcome, str] = {
    "truncated": "cut off",
    "empty": "empty",
    "refused": "refused",
    "filtered": "filtered",
    "unscored": "unscored",
}


def counts_text(outcomes: Mapping[Outcome, int], *, n_failed: int = 0, n_excluded: int = 0) -> str:
    """Count what was not simply answered: `3 cut off, 1 failed`; empty if there is nothing.

    Args:
        outcomes: how many samples ended how.
        n_failed: samples without a score; those that are unscored are among them.
        n_excluded: answers that were cut off and left out.
    """
    parts = [
        f"{outcomes[outcome]} {word}"
        for outcome, word in _WORDS.items()
        if outcome != "unscored" and outcomes.get(outcome)
    ]
    if n_excluded:
        parts = [part for part in parts if not part.endswith(" cut off")]
        parts.insert(0, f"{n_excluded} cut off and left out")
    if n_failed:
        parts.append(f"{n_failed} failed")
    return ", ".join(parts)


def outcome_notes(results: Iterable[TaskResult]) -> list[str]:
    """Write a line for each task with samples that were not simply answered.

    A line begins with `WARNING:` where so many were cut off that the number says little. Samples
    that failed are not counted here: they are told of elsewhere. Of a group its tasks tell.
    """
    listed = [result for result in results if not group_members(result)]
    models = {result.model for result in listed}
    notes = [note for result in listed if (note := _note(result, with_model=len(models) > 1))]
    notes.sort(key=lambda note: not note.startswith("WARNING"))  # stable: else in their order
    if len(notes) > MOST_NOTES:
        left = len(notes) - MOST_NOTES
        notes[MOST_NOTES:] = [f"and {left} more tasks; `llmeval results --json` has all counts"]
    return notes


def is_much_cut_off(result: TaskResult) -> bool:
    """Whether more than `MUCH_CUT_OFF` of a task's answers were cut off."""
    return result.outcomes.get("truncated", 0) > MUCH_CUT_OFF * result.n_samples


def _note(result: TaskResult, *, with_model: bool) -> str:
    parts = [_cut_off(result)] if result.outcomes.get("truncated") else []
    others = [
        f"{result.outcomes[outcome]} {word}"
        for outcome, word in _WORDS.items()
        if outcome != "truncated" and result.outcomes.get(outcome)
    ]
    if others:
        parts.append(f"{', '.join(others)} of {result.n_samples} answers")
    if not parts:
        return ""
    name = f"{result.task} of {result.model}" if with_model else result.task
    head = "WARNING: " if is_much_cut_off(result) else ""
    look = f"`llmeval samples {result.task} --outcome {_first(result)}` shows them"
    return f"{head}{name}: {'; '.join([*parts, look])}"


def _first(result: TaskResult) -> Outcome:
    return next(outcome for outcome in _WORDS if result.outcomes.get(outcome))


def _cut_off(result: TaskResult) -> str:
    n_cut_off = result.outcomes["truncated"]
    most = _max_tokens(result)
    limit = f"at max_tokens={most}" if most is not None else "at the limit of the server"
    were = "answer was" if n_cut_off == 1 else "answers were"
    text = f"{n_cut_off} of {result.n_samples} {were} cut off {limit}"
    text += f"; {'raise' if most is not None else 'set'} generation.max_tokens"
    aggregates = [one.aggregate for one in result.metrics if one.category is None]
    if any(aggregate.n_excluded for aggregate in aggregates):
        text += "; they are left out, so the number is only a bound"
        bounds = [
            f"{one.metric} {one.aggregate.bounds[0]:.3f} to {one.aggregate.bounds[1]:.3f}"
            for one in result.metrics
            if one.category is None and one.aggregate.bounds is not None
        ]
        text += f": with them {', '.join(bounds)}" if bounds else ""
    elif result.n_reasoning_tokens:
        share = result.n_reasoning_tokens / max(result.n_completion_tokens or 0, 1)
        text += f" ({min(share, 1):.0%} of what was written is reasoning)"
    return text


def _max_tokens(result: TaskResult) -> int | None:
    generation = result.settings.get("generation")
    most = generation.get("max_tokens") if isinstance(generation, dict) else None
    return most if isinstance(most, int) else None
