"""The plugin as the host loads it: well-formed, and light."""

from __future__ import annotations

import subprocess
import sys

from llmeval_core.testing import check_plugin

HEAVY = {"asyncio", "numpy", "sqlite3", "rich", "yaml", "zipfile"}


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("judges")

    assert sorted(plugin.registered) == ["commands", "datasets", "metrics", "tasks"]


def test_the_hook_module_imports_nothing_heavy() -> None:
    code = (
        "import sys, llmeval_core.hooks; before = set(sys.modules);"
        "from llmeval_judges import plugin;"
        "list(plugin.llmeval_register_metrics()); list(plugin.llmeval_register_datasets());"
        "list(plugin.llmeval_register_tasks()); list(plugin.llmeval_register_commands());"
        "print(*set(sys.modules) - before)"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not HEAVY & {name.partition(".")[0] for name in shown.stdout.split()}
