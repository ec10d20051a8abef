"""Makes the requests of a task."""

from __future__ import annotations

from llmeval_core.naming import canonical_json, fingerprint_of_text
from llmeval_core.plan import PlannedModel, PlannedTask
from llmeval_core.prompting.renderer import PromptRenderer, RenderedPrompt
from llmeval_core.prompting.requests import request_identity
from llmeval_core.records import Request, Sample


class Prompter:
    """Makes the requests of one task for one model.

    Args:
        model: its name and `cache_key` go into each fingerprint.
        task: prompt, shots and generation settings.
        renderer: renders the task's prompts; one of its own if None.

    Raises:
        ConfigError: a template has a syntax error.
    """

    def __init__(
        self, model: PlannedModel, task: PlannedTask, renderer: PromptRenderer | None = None
    ) -> None:
        self._task = task
        self._renderer = renderer or PromptRenderer(task)
        self._identity = canonical_json(request_identity(model, task.mode, task.generation))[:-1]

    def load_pool(self) -> None:
        """Read the few-shot pool, if the task shows examples; blocking, call it from a thread.

        Raises:
            ConfigError: the pool has too few samples.
            DatasetError: the pool cannot be read.
        """
        self._renderer.load_pool()

    def request(self, sample: Sample) -> Request:
        """Make the request for one sample.

        Raises:
            PromptError: a template fails on this sample, the pool has too few other samples, or a
                conversation is to become one text.
        """
        return self.request_for(sample, self._renderer.render(sample))

    def request_for(self, sample: Sample, rendered: RenderedPrompt) -> Request:
        """Make the request for a sample whose prompt is rendered."""
        return Request(
            sample_id=sample.id,
            mode=self._task.mode,
            messages=rendered.messages,
            prompt=rendered.prompt,
            continuations=rendered.continuations,
            settings=self._task.generation,
            fingerprint=self.fingerprint(rendered),
        )

    def fingerprint(self, rendered: RenderedPrompt) -> str:
        """Return the fingerprint of the request that a prompt makes."""
        return fingerprint_of_text(f"{self._identity},{rendered.as_json}]")
