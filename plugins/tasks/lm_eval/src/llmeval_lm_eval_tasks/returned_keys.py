"""Which metrics a `process_results` returns, read from its source: some are not declared."""

from __future__ import annotations

import ast

from llmeval_lm_eval_tasks.lm_eval_library import source_text
from llmeval_lm_eval_tasks.task_yaml import FunctionRef


def returned_keys(function: FunctionRef) -> list[str]:
    """Name the keys of the mappings that a function returns, as far as they are written out.

    Nothing is imported. lm-eval reports a metric that its YAML does not declare, as a mean.
    """
    try:
        tree = ast.parse(source_text(function.module_file))
    except (SyntaxError, ValueError):
        return []
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.function:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Dict):
                    found.update(dict.fromkeys(_texts(inner.value)))
    return list(found)


def _texts(mapping: ast.Dict) -> list[str]:
    return [
        key.value
        for key in mapping.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    ]
