"""Which examples are shown with a sample: from the pool, and never the sample itself.

`select: lm-eval` draws as lm-eval does, which has its own rule for the sample itself.
"""

from __future__ import annotations

import itertools
import logging
import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmeval_core.errors import ConfigError, DatasetError, wrap_plugin_errors
from llmeval_core.invisible_characters import without_invisible
from llmeval_core.plan import PlannedTask
from llmeval_core.printable import with_count
from llmeval_core.prompting.lm_eval_draws import LmEvalDraws
from llmeval_core.prompting.templates import PromptError, Templates, variables_of
from llmeval_core.records import Sample, sample_problem

_log = logging.getLogger("llmeval")

_ENDS = " ?!.。…"
"""What may end a question, or not: full-width ones are among them after NFKC."""
_UNSEEN = {"Cc", "Cf"}


class FewShotPool:
    """Examples of one task.

    Two samples are the same item if they ask the same: their questions are rendered as they would
    be shown (choices in one order), and compared without regard to case, white space, width and
    invisible characters. Ids do not count: those of a pool in another file may be equal by chance.
    """

    def __init__(self, task: PlannedTask, templates: Templates) -> None:
        self._task = task
        self._templates = templates
        self._pool: tuple[tuple[Sample, str], ...] = ()
        self._drawn: tuple[Sequence[Sample], LmEvalDraws] | None = None

    def load(self) -> None:
        """Read the pool, if the task shows examples and it was not read yet; blocking.

        Raises:
            ConfigError: the pool has too few samples.
            DatasetError: the pool cannot be read.
        """
        task = self._task
        if task.n_shots == 0 or self._pool or self._drawn:
            return
        is_as_lm_eval = task.few_shot.select == "lm-eval"
        samples = self._read(None if is_as_lm_eval else task.few_shot.pool_size)
        if is_as_lm_eval:
            what = f"data set '{task.dataset_name}' cannot be read"
            with wrap_plugin_errors(DatasetError, what, where=task.key):
                draws = LmEvalDraws(task, samples, task.dataset.samples())
            if draws.n_shown_themselves:
                _log.warning(
                    "%s: of %s the examples have the sample itself with its answer, as lm-eval"
                    " would show it; `one_more: true` leaves it out",
                    task.key,
                    with_count(draws.n_shown_themselves, "sample"),
                )
            self._drawn = samples, draws
            return
        if len(samples) < task.n_shots:
            raise ConfigError(
                f"the few-shot pool of '{task.dataset_name}' has {len(samples)} samples, "
                f"{task.n_shots} are asked for",
                where=task.key,
                hint="ask for fewer shots, or name a larger pool",
            )
        self._pool = tuple((sample, self._item(sample)) for sample in samples)

    def _read(self, most: int | None) -> tuple[Sample, ...]:
        """Read the samples of the pool, so many at most.

        Raises:
            DatasetError: they cannot be read, or are not as they should be.
        """
        task = self._task
        what = f"the few-shot pool of '{task.dataset_name}' cannot be read"
        with wrap_plugin_errors(DatasetError, what, where=task.key):
            samples = tuple(itertools.islice(task.dataset.few_shot_pool(), most))
        for index, sample in enumerate(samples):
            problem = sample_problem(sample, index)
            if problem is not None:
                raise DatasetError(
                    f"{problem}, in the few-shot pool of '{task.dataset_name}'",
                    where=task.key,
                    hint="this is a bug in the plugin; tell its author",
                )
        return samples

    def choose(self, sample: Sample) -> list[Sample]:
        """Choose the examples for one sample.

        Raises:
            PromptError: too few samples of the pool ask something else.
        """
        n_shots = self._task.n_shots
        chosen: list[Sample] = []
        if n_shots == 0:
            return chosen
        if self._drawn is not None:
            pool, drawn = self._drawn
            return [pool[place] for place in drawn[sample.id]]
        own = self._item(sample)
        for candidate, item in self._candidates(sample):
            if item == own:
                continue
            chosen.append(candidate)
            if len(chosen) == n_shots:
                return chosen
        n_same = len(self._pool) - len(chosen)
        raise PromptError(
            f"the few-shot pool has only {len(chosen)} other samples: {n_same} of {len(self._pool)}"
            " ask the same as this one",
            hint="name a larger pool (few_shot_file), ask for fewer shots, or show in the template"
            " what tells the samples apart",
        )

    def _candidates(self, sample: Sample) -> Iterator[tuple[Sample, str]]:
        """Go through the pool for one sample: as it is, or at random by (seed, sample id)."""
        if self._task.few_shot.select == "first":
            yield from self._pool
            return
        chance = random.Random(f"{self._task.seed}:{sample.id}")  # noqa: S311  not for secrets
        n = len(self._pool)
        drawn = chance.sample(range(n), min(n, self._task.n_shots + 8))
        yield from (self._pool[index] for index in drawn)
        yield from (self._pool[index] for index in range(n) if index not in drawn)

    def _item(self, sample: Sample) -> str:
        """Return a text that is equal for samples that ask the same."""
        if sample.choices:
            sample = replace(sample, choices=tuple(sorted(sample.choices)))
        if isinstance(sample.input, str):
            sample = replace(sample, input=_plain(sample.input).rstrip(_ENDS))
        variables = variables_of(sample)
        if self._task.prompt.examples == "template":
            variables["examples"] = []
        try:
            shown = self._templates.question(variables)
        except PromptError:  # told when the sample itself is asked
            shown = f"{sample.input_text}\n{sample.choices}\n{sample.metadata}"
        if not isinstance(sample.input, str):
            images = [image.url or image.digest for turn in sample.input for image in turn.images]
            shown = "\n".join([sample.input_text, *images, shown])
        return _plain(shown)


def _plain(text: str) -> str:
    """Leave of a text what a reader takes it for: NFKC, no case, single spaces."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if folded.isascii():
        return " ".join(folded.split())
    words = without_invisible(folded).split()
    return " ".join("".join(filter(_is_seen, word)) for word in words if any(map(_is_seen, word)))


def _is_seen(char: str) -> bool:
    """Whether a character is neither a control nor a mark of formatting."""
    return unicodedata.category(char) not in _UNSEEN
