"""What tells one state of a task's data from another, found without loading them."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llmeval_core.hooks import DatasetError, Json, expand_path
from llmeval_lm_eval_tasks.hub_commits import HubCommits
from llmeval_lm_eval_tasks.lm_eval_library import MISSING_DATA, source_text
from llmeval_lm_eval_tasks.task_selection import TaskChoice
from llmeval_lm_eval_tasks.task_yaml import FunctionRef, function_refs

_FORMATS = (
    "json",
    "csv",
    "text",
    "parquet",
    "arrow",
    "xml",
    "pandas",
    "imagefolder",
    "audiofolder",
)
_CONNECT_TIMEOUT_S = 5.0


def config_identity(choice: TaskChoice) -> Json:
    """Return what the YAML says, and the digests of the modules that it names."""
    modules = sorted(
        {ref.module_file for ref in function_refs(choice.config) if ref.module_file.is_file()}
    )
    beside = sorted({path for module in modules for path in module.parent.glob("*.py")})
    return [
        _plain({key: value for key, value in choice.config.items() if key not in ("tag", "group")}),
        {path.name: _digest(source_text(path).encode()) for path in beside},
    ]


def data_identity(config: Mapping[str, Any], commits: HubCommits) -> Json:
    """Return digests of local files, or the commit of a data set of the hub.

    Args:
        config: a task's YAML; Any: it has no shape.
        commits: knows those of the hub.
    """
    kwargs = config.get("dataset_kwargs") or {}
    named = [kwargs.get("data_files"), kwargs.get("data_dir"), config.get("dataset_path")]
    local = sorted(set(_local_files(named)))
    if local:
        return {"files": [_file_digest(file) for file in local]}
    return {"commits": [*commits.of(*_of_hub(config))]} if _is_of_hub(config) else {}


def check_reachable(
    config: Mapping[str, Any], *, task: str, environ: Mapping[str, str] = os.environ
) -> None:
    """Refuse at once what would be tried half a minute long: no data here, no way to the hub.

    Args:
        config: a task's YAML; Any: it has no shape.
        task: its name, for the message.
        environ: says where the hub and its cache are.

    Raises:
        DatasetError: the data must be fetched, and the hub cannot be reached.
    """
    if not _is_of_hub(config) or any(name.lower().endswith("_proxy") for name in environ):
        return
    name, revision = _of_hub(config)
    if expand_path(name).exists() or HubCommits(environ).cached(name, revision):
        return
    address = urlsplit(environ.get("HF_ENDPOINT") or "https://huggingface.co")
    host, port = address.hostname or "", address.port or 443
    try:
        socket.create_connection((host, port), timeout=_CONNECT_TIMEOUT_S).close()
    except OSError as err:
        raise DatasetError(
            f"the data of lm-eval's task '{task}' are not here, and {host} cannot be reached",
            where=f"dataset_path: {name}",
            hint=MISSING_DATA,
        ) from err


def _is_of_hub(config: Mapping[str, Any]) -> bool:
    path = config.get("dataset_path")
    return bool(path) and "custom_dataset" not in config and path not in _FORMATS


def _of_hub(config: Mapping[str, Any]) -> tuple[str, str]:
    """Name the data set and its revision."""
    kwargs = config.get("dataset_kwargs") or {}
    return str(config["dataset_path"]), str(kwargs.get("revision") or "main")


def _plain(value: Any) -> Json:
    """Write what was read of YAML as JSON; Any: YAML."""
    if isinstance(value, FunctionRef):
        return {"!function": value.name}
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _local_files(value: object) -> Iterator[Path]:
    """Find what names files of this machine, in `data_files`, `data_dir` or a path."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _local_files(inner)
    elif isinstance(value, str) and value:
        path = expand_path(value)
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (one for one in path.rglob("*") if one.is_file())


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
