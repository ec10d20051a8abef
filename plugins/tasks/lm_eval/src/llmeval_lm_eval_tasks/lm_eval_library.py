"""The border to lm-eval itself: loading it, making its task objects, what can go wrong there."""

from __future__ import annotations

import functools
import importlib
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmeval_core.hooks import ConfigError, DatasetError, LlmevalError
from llmeval_lm_eval_tasks.task_selection import TaskChoice
from llmeval_lm_eval_tasks.task_yaml import FunctionRef, function_refs

MISSING_DATA = (
    "fetch them once where there is a network, without HF_HUB_OFFLINE and HF_DATASETS_OFFLINE; or"
    " give your own: a YAML file with `include:` of the task's and `dataset_path: json`"
)
"""What to try if a task's data are not here."""

_EXTRAS = {"math_verify": "math", "antlr4": "math", "langdetect": "ifeval", "jieba": "longbench"}


def load_library() -> Any:
    """Import lm-eval, some seconds the first time; Any: it has no types.

    Its templates are compiled once each instead of once a field and document: the same prompts,
    20 times as fast.

    Raises:
        ConfigError: it cannot be imported.
    """
    with foreign_code("lm-eval cannot be loaded"):
        logger = logging.getLogger("lm_eval")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())  # else every default is told as a warning
            logger.propagate = False
        library = importlib.import_module("lm_eval.api.task")
        importlib.import_module("lm_eval.tasks")
        importlib.import_module("datasets").disable_progress_bars()
        compile_templates_once(library.utils)
    return library


def compile_templates_once(utils: Any) -> None:
    """Let `lm_eval.utils.apply_template` keep what it compiled; Any: a module."""
    if getattr(utils.apply_template, "keeps_compiled", False):
        return

    @functools.lru_cache(maxsize=4096)
    def compiled(text: str) -> Any:
        template = utils.env.from_string(text)
        template.globals = dict(template.globals)  # a chain of mappings: slow, and never changed
        return template

    def apply_template(template: str, doc: Mapping[str, Any]) -> str:
        rendered: str = compiled(template).render(doc)
        return rendered

    apply_template.keeps_compiled = True  # type: ignore[attr-defined]
    utils.apply_template = apply_template


def build_task(choice: TaskChoice, metadata: Mapping[str, Any]) -> Any:
    """Make lm-eval's task object, which loads its data; Any: it has no types.

    Args:
        choice: the task.
        metadata: what is laid over its `metadata`, as lm-eval's `--metadata`.

    Raises:
        ConfigError: its code cannot be imported.
        DatasetError: its data cannot be loaded.
    """
    load_library()
    factory = importlib.import_module("lm_eval.tasks._factory").TaskFactory(meta=dict(metadata))
    index = importlib.import_module("lm_eval.tasks._index")
    with foreign_code(f"lm-eval's task '{choice.name}' cannot be loaded"):
        _forget_modules(choice)
        overrides = imported(choice.overrides)
        if choice.path is None:
            entry = index.Entry(choice.name, index.Kind.TASK, None, cfg=overrides)
            return factory.build(entry, registry={})
        entry = index.Entry(choice.name, index.Kind.TASK, choice.path)
        return factory.build(entry, overrides=overrides, registry={})


def imported(value: Any) -> Any:
    """Import every `!function` in what was read of YAML; Any: whatever YAML can say."""
    if isinstance(value, FunctionRef):
        loader = importlib.import_module("lm_eval.tasks._yaml_loader")
        return loader._import_func_in_yml(value.name, Path(value.folder))
    if isinstance(value, dict):
        return {key: imported(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [imported(inner) for inner in value]
    return value


def _forget_modules(choice: TaskChoice) -> None:
    """Let modules that draw random numbers be imported anew: some seed when they are imported."""
    if not draws_random_numbers(choice):
        return
    files = {str(ref.module_file.resolve()) for ref in function_refs(choice.config)}
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) in files:
            del sys.modules[name]


def draws_random_numbers(choice: TaskChoice) -> bool:
    """Whether Python code of the task may draw from the process's random numbers."""
    return any(
        "random" in text
        for text in (source_text(ref.module_file) for ref in function_refs(choice.config))
    )


def source_text(path: Path) -> str:
    """Read a module; empty if it stands elsewhere."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@contextmanager
def foreign_code(what: str) -> Iterator[None]:
    """Turn whatever lm-eval, its tasks and the `datasets` library raise into errors of ours.

    Raises:
        ConfigError: code cannot be imported, or ends the process.
        DatasetError: anything else, which is mostly the data.
    """
    try:
        yield
    except (KeyboardInterrupt, LlmevalError):
        raise
    except ImportError as err:
        raise ConfigError(f"{what}: {err}", hint=_missing_package(err)) from err
    except SystemExit as err:
        raise ConfigError(
            f"{what}: its code ends the process", hint="run it with lm-eval itself"
        ) from err
    except BaseException as err:  # tasks are anybody's code
        if isinstance(err, MemoryError | GeneratorExit):
            raise
        raise DatasetError(
            f"{what}: {type(err).__name__}: {err}",
            hint=_missing_data(f"{type(err).__name__} {err}"),
        ) from err


def _missing_package(err: ImportError) -> str:
    missing = (err.name or "").partition(".")[0]
    if missing in _EXTRAS:
        return f'pip install "lm_eval[{_EXTRAS[missing]}]"'
    return f"pip install {missing}" if missing else "see the README of the task's family"


def _missing_data(text: str) -> str:
    if "401" in text or "403" in text or "gated" in text:
        return "set HF_TOKEN, or give `hf auth login`; a gated data set's terms are on its page"
    if "ffline" in text or "ConnectionError" in text or "Couldn't" in text:
        return MISSING_DATA
    return "look at the task's YAML file and the README of its family"
