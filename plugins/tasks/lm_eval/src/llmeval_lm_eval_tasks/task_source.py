"""`lm_eval:NAME` in a run file: the tasks and groups that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmeval_core.hooks import ConfigError, FoundTask, Mode, TaskOptions, TaskSet
from llmeval_lm_eval_tasks.hub_commits import HubCommits
from llmeval_lm_eval_tasks.index_search import search_index
from llmeval_lm_eval_tasks.lm_eval_groups import task_group
from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.metric_names import TaskMetricName, metrics_of
from llmeval_lm_eval_tasks.python_tasks import load_python_task
from llmeval_lm_eval_tasks.questions import QuestionMaker
from llmeval_lm_eval_tasks.ready_task import LibraryState, LmEvalTask
from llmeval_lm_eval_tasks.task_index import Index, build_index, library_tasks, library_version
from llmeval_lm_eval_tasks.task_selection import TaskChoice, select_tasks

_MODES: dict[str, Mode] = {
    "multiple_choice": "loglikelihood",
    "loglikelihood": "loglikelihood",
    "loglikelihood_rolling": "rolling",
}


@dataclass(frozen=True, slots=True)
class LmEvalSource:
    """Finds lm-eval's tasks; imports none of its code before the first item is wanted."""

    settings: LmEvalSettings

    def load(self, options: TaskOptions) -> TaskSet:
        """Find the tasks and groups.

        Raises:
            ConfigError: there is no such task, or it is one that is not run here.
        """
        settings = self.settings
        library = LibraryState(library_version(), HubCommits())
        selection = select_tasks(settings.tasks, self._index())
        maker = QuestionMaker(options.generation, settings.think_end_token)
        names: dict[str, list[TaskMetricName]] = {}
        tasks = []
        for name, choice in selection.tasks.items():
            check_runnable(choice)
            task: LmEvalTask
            if choice.is_class:
                task, names[name] = load_python_task(
                    choice, settings, options, maker=maker, library=library
                )
            else:
                names[name] = metrics_of(choice.config)
                task = LmEvalTask(
                    choice,
                    settings,
                    names=names[name],
                    modes=frozenset({self._mode(choice)}),
                    n_shots=shots_of(choice.config.get("num_fewshot"), options.n_shots),
                    maker=maker,
                    library=library,
                )
            tasks.append(task)
        groups = [
            group
            for choice in selection.groups.values()
            if (group := task_group(choice, names, library=library.version)) is not None
        ]
        return TaskSet(tuple(tasks), tuple(groups))

    def search(self, text: str) -> list[FoundTask]:
        """Find tasks, groups and tags by their names and data sets."""
        return search_index(self._index().values(), text)

    def _index(self) -> Index:
        """Index the folders; the first time, 14,000 files are read."""
        own = tuple(self.settings.include_path)
        missing = [folder for folder in own if not folder.is_dir()]
        if missing:
            raise ConfigError(
                f"there is no folder '{missing[0]}'",
                where="include_path of lm_eval",
                hint="write the folder with your YAML files, from where llmeval is started",
            )
        return build_index((library_tasks(), *own) if self.settings.include_defaults else own)

    def _mode(self, choice: TaskChoice) -> Mode:
        output_type = str(choice.config.get("output_type") or "generate_until")
        mode = _MODES.get(output_type)
        if mode is None:
            return "chat" if self.settings.apply_chat_template else "completion"
        if self.settings.apply_chat_template:
            raise ConfigError(
                f"lm-eval's task '{choice.name}' weighs texts, which no conversation can",
                hint="leave `apply_chat_template` out for this task, or take a task that generates",
            )
        return mode


def shots_of(own: Any, wanted: int | None) -> int:
    """Say how many examples are shown; a task whose YAML says 0 keeps to it, as in lm-eval."""
    if own == 0 or wanted is None:
        return int(own or 0)
    return wanted


def check_runnable(choice: TaskChoice) -> None:
    """Refuse what cannot be run here.

    Raises:
        ConfigError: it runs what the model writes, or shows images or plays sounds.
    """
    if choice.config.get("unsafe_code"):
        raise ConfigError(
            f"lm-eval's task '{choice.name}' runs the code that the model writes, unguarded",
            hint="it needs a sandbox, which lm-eval's scorer does not use; take another task",
        )
    for key, what in (("doc_to_image", "images"), ("doc_to_audio", "sounds")):
        if choice.config.get(key):
            raise ConfigError(f"lm-eval's task '{choice.name}' has {what}, which are not supported")
