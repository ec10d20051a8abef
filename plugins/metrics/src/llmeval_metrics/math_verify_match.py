"""numeric_match with math-verify: are two formulas equal?"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from llmeval_core.hooks import Aggregate, ConfigError, Generation, Sample, Score, mean_aggregate
from llmeval_metrics.math_verify_process import MathVerifyProcess
from llmeval_metrics.per_text import mean_score, texts_of

_MOST_SHOWN = 60


class MathVerifyMatch:
    """1 if math-verify finds answer and reference equal, else 0.

    Source: math-verify 0.9 (Hugging Face), `parse` and `verify` with their defaults, but for
    time: they limit theirs by a signal, which works in a main thread only. Here a process of its
    own does the work, one answer at a time, and is killed after ten seconds; an answer that
    takes longer is wrong. Deviation: they look for formulas between `$` alone; here a bare formula
    or word, of a reference and of an answer that is nothing else, is put between `$` first, and
    `2\\,000` is 2000.

    Raises:
        ConfigError: math-verify is not installed.
    """

    definition = "numeric_match@math-verify-2"
    higher_is_better = True

    def __init__(self) -> None:
        if importlib.util.find_spec("math_verify") is None:
            raise ConfigError(
                "numeric_match with `engine: math_verify` needs math-verify",
                hint='pip install "llmeval-metrics[math]"',
            )
        self._process = MathVerifyProcess()
        # One thread: answers wait for their turn here, and not in the time that they have.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="math-verify")

    async def score(self, sample: Sample, generation: Generation) -> Score:
        """Compare with each reference; `parsed` is the formula that was found.

        Raises:
            ValueError: the sample has no reference that can be parsed, or the generation no text.
        """
        if not sample.references:
            raise ValueError("the sample has no reference")
        loop = asyncio.get_running_loop()
        scores = []
        for text in texts_of(generation):
            verdict = await loop.run_in_executor(
                self._thread, self._process.verify, sample.references, text
            )
            if verdict.right is None:
                shown = " or ".join(repr(_short(known)) for known in sample.references[:3])
                raise ValueError(f"math-verify cannot parse the reference {shown}")
            scores.append(Score(float(verdict.right), verdict.parsed))
        return mean_score(scores)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Average over samples, and let the process go; it comes back when it is needed."""
        aggregate = mean_aggregate(scores)
        self._thread.submit(self._process.close).result()
        return aggregate


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
