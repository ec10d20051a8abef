"""lm-eval's numbers of a whole task, with its standard errors: the same functions and seeds."""

from __future__ import annotations

import contextlib
import importlib
import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from llmeval_core.hooks import Aggregate, Score
from llmeval_lm_eval_tasks.score_values import NOTHING, value_of

AggregateFunction = Callable[[Sequence[Any]], Any]
"""One of lm-eval's aggregations; Any: values of one metric, and mostly a float."""

BOOTSTRAP_SAMPLES = 100_000
_FEW_SAMPLES = 100  # lm-eval's bound for metrics that take long
_LONG = ("bleu", "chrf", "chrf++", "ter")
_BOOTSTRAPPED = (
    "median",
    "matthews_corrcoef",
    "f1_score",
    "perplexity",
    "bleu",
    "chrf",
    "chrfpp",
    "ter",
    "nanmean",
)
_CHUNK = 1000
_OF_PAIRS = ("matthews_corrcoef", "f1_score")


def aggregate_values(
    function: AggregateFunction, metric: str, scores: Iterable[Score], *, n_resamples: int
) -> Aggregate:
    """Make one number of the scores of all documents, in their order.

    Args:
        function: lm-eval's aggregation.
        metric: lm-eval's name of the metric.
        scores: made by `as_score`.
        n_resamples: for the bootstrap; 0 for no standard error, as lm-eval's `bootstrap_iters`.
    """
    values = [value for value in map(value_of, scores) if value is not NOTHING]
    if not values:
        return Aggregate(value=None)
    value = _number(function(values))
    stderr, method = None, None
    if len(values) > 1 and n_resamples > 0:
        with contextlib.suppress(ZeroDivisionError):  # of one group of documents, say
            stderr, method = _stderr(function, metric, values, n_resamples)
    return Aggregate(value=value, stderr=stderr, stderr_method=method, n_scored=len(values))


def _stderr(
    function: AggregateFunction, metric: str, values: Sequence[Any], n_resamples: int
) -> tuple[float | None, str | None]:
    """Find a standard error as lm-eval's `stderr_for_metric` does; None where it has none."""
    metrics = importlib.import_module("lm_eval.api.metrics")
    if function in [getattr(metrics, name) for name in _BOOTSTRAPPED]:
        n = min(n_resamples, _FEW_SAMPLES) if metric in _LONG else n_resamples
        found = metrics.sample_stddev(list(_resampled(function, values, n)))
        return _number(found), f"bootstrap with {n} resamples, lm-eval's seeds"
    if function is metrics.mean:
        return _number(metrics.mean_stderr(values)), "sample standard deviation / sqrt(n)"
    if function is metrics.acc_all:
        return _number(metrics.acc_all_stderr(values)), "lm-eval's acc_all_stderr"
    return None, None


def _resampled(function: AggregateFunction, values: Sequence[Any], n: int) -> Iterable[float]:
    """Give the number of each resample: the draws of `random.Random(i).choices`, block by block.

    `random` and numpy's generator make the same numbers of the same state; numpy makes them in
    one go, and the largest part of the time goes.
    """
    import numpy as np  # noqa: PLC0415  heavy

    if function.__name__ in _OF_PAIRS:
        function = _by_counts(function)
    size, chunk = len(values), min(_CHUNK, n)
    floats = np.array(values) if all(type(value) is float for value in values) else None
    for block in range(n // chunk):
        state = random.Random(block).getstate()[1]  # noqa: S311  lm-eval's seeds
        generator = np.random.RandomState()
        generator.set_state(
            {
                "bit_generator": "MT19937",
                "state": {"key": np.array(state[:-1], dtype=np.uint32), "pos": state[-1]},
            }
        )
        for _ in range(chunk):
            drawn = np.floor(generator.random_sample(size) * float(size)).astype(np.intp)
            if floats is not None:
                yield function(floats[drawn].tolist())
            else:
                yield function([values[at] for at in drawn.tolist()])


def _by_counts(function: AggregateFunction) -> AggregateFunction:
    """Compute a number of (gold, prediction) pairs once for each count of the kinds of pairs.

    It counts pairs, so their order means nothing; scikit-learn takes a millisecond a time.
    """
    known: dict[frozenset[tuple[Any, int]], Any] = {}

    def counted(pairs: Sequence[Any]) -> Any:
        counts: dict[Any, int] = {}
        for pair in pairs:
            counts[pair] = counts.get(pair, 0) + 1
        key = frozenset(counts.items())
        if key not in known:
            known[key] = function(pairs)
        return known[key]

    return counted


def _number(value: Any) -> float | None:
    """Return a finite number; None of anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
