"""A folder with YAML of one's own: lm-eval's tasks, with rows of the comparison for data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import yaml
from llmeval_lm_eval_tasks.task_index import build_index, library_tasks

from plugins.tasks.lm_eval.tests.parity.spec_table import ParitySpec

_MODULE = """
import json
from pathlib import Path
from datasets import Dataset, DatasetDict

def load(task, **_):
    rows = json.loads((Path(__file__).parent / f"{task}.json").read_text())
    return DatasetDict({split: Dataset.from_list(listed) for split, listed in rows.items()})
"""


def make_folder(folder: Path, specs: Iterable[ParitySpec], *, cache: Path | None = None) -> Path:
    """Write a YAML file and the rows for each task."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "parity_rows.py").write_text(_MODULE, encoding="utf-8")
    index = build_index((library_tasks(),), cache=cache)
    for spec in specs:
        config = {
            "include": index[spec.task].path,
            "task": spec.task,
            "tag": None,
            "dataset_path": "synthetic",
            "dataset_name": None,
            "dataset_kwargs": {"task": spec.task},
        }
        written = yaml.safe_dump(config) + "custom_dataset: !function parity_rows.load\n"
        (folder / f"{spec.task}.yaml").write_text(written, encoding="utf-8")
        rows = json.dumps(spec.data())
        (folder / f"{spec.task}.json").write_text(rows, encoding="utf-8")
    return folder
