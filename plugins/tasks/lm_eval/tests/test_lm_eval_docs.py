"""The page "Coming from lm-eval": its tables say what is true."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path

from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.task_yaml import YamlReader, parse_yaml

from plugins.tasks.lm_eval.tests.parity.spec_table import SPECS

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "lm-eval.md"
README = ROOT / "plugins" / "tasks" / "lm_eval" / "README.md"
BEGIN, END = "<!-- compared tasks -->\n", "<!-- end -->"


def compared_tasks(folder: Path) -> str:
    """Write the table of the tasks that are compared."""
    families: dict[tuple[str, str], list[str]] = defaultdict(list)
    for spec in SPECS:
        included = Path(parse_yaml(folder / f"{spec.task}.yaml")["include"])
        family = included.parts[len(included.parts) - included.parts[::-1].index("tasks")]
        asks = YamlReader().read(included).get("output_type", "generate_until")
        families[family, asks].append(spec.task)
    lines = [
        f"| {family} | {', '.join(f'`{name}`' for name in sorted(names))} | {asks} |"
        for (family, asks), names in sorted(families.items())
    ]
    return "\n".join(["", "| family | tasks | asks |", "|---|---|---|", *lines, "", ""])


def test_the_page_lists_the_tasks_that_are_compared(folder: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    table = compared_tasks(folder)
    if os.environ.get("LLMEVAL_WRITE_DOCS"):
        PAGE.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}", encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0] == table


def test_the_readme_lists_the_settings_with_their_defaults() -> None:
    text = README.read_text(encoding="utf-8")

    rows = re.findall(r"(?m)^\| `(\w+)` \|(.*?)\|", text)

    fields = LmEvalSettings.model_fields
    assert [name for name, _ in rows] == list(fields)
    for name, default in rows:
        declared = fields[name].get_default()
        written = {True: "true", False: "false", (): "[]"}.get(
            declared if isinstance(declared, bool | tuple) else None, str(declared)
        )
        expected = "" if fields[name].is_required() or declared is None else f"`{written}`"
        assert default.strip() == expected


def test_every_setting_has_a_word_of_lm_evals() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## Words and settings")[2]

    missing = [name for name in LmEvalSettings.model_fields if f"`{name}" not in table]

    assert missing in ([], ["tasks"])
