"""The comparison's one side: lm-eval's own evaluator, with a model of ours."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from lm_eval.api.model import LM
from lm_eval.evaluator import simple_evaluate
from lm_eval.models.utils import postprocess_generated_text
from lm_eval.tasks import TaskManager

from plugins.tasks.lm_eval.tests.parity import model_answers


class ComparedModel(LM):  # type: ignore[misc]  # lm-eval has no types
    """A model that answers from the question alone; texts are cut as lm-eval's models do."""

    tokenizer_name = "compared"

    def __init__(self, answers: tuple[str, ...]) -> None:
        super().__init__()
        self._answers = answers
        self.prompts: list[Any] = []

    def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
        return model_answers.chat_text((one["role"], one["content"]) for one in chat_history)

    def loglikelihood(self, requests: Any) -> list[tuple[float, bool]]:
        self.prompts += [request.args for request in requests]
        return [model_answers.loglikelihood(*request.args) for request in requests]

    def loglikelihood_rolling(self, requests: Any) -> list[float]:
        self.prompts += [request.args for request in requests]
        return [model_answers.rolling(request.args[0]) for request in requests]

    def generate_until(self, requests: Any) -> list[str]:
        asked: Counter[int] = Counter()
        texts = []
        for request in requests:
            prompt, kwargs = request.args
            text = model_answers.written(prompt, asked[id(request)], self._answers)
            asked[id(request)] += 1
            self.prompts.append((prompt, kwargs))
            texts.append(postprocess_generated_text(text, kwargs.get("until"), None))
        return texts


def evaluate_by_lm_eval(
    names: list[str], folder: Path, *, answers: tuple[str, ...], **options: Any
) -> tuple[dict[str, Any], list[Any]]:
    """Evaluate tasks; return the results, and what the model was asked."""
    model = ComparedModel(answers)
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    found = simple_evaluate(model, tasks=names, task_manager=manager, **options)
    return found, model.prompts
