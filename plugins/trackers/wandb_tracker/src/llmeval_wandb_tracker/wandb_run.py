"""One visit to a model's run: opened, written, finished, all without a word on the terminal."""

from __future__ import annotations

import contextlib
import logging
import netrc
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llmeval_core.hooks import TrackerError
from llmeval_wandb_tracker.content import run_id
from llmeval_wandb_tracker.settings import WandbSettings

_MAX_RUN_NAME = 128
_POLL_S = 0.05


def import_wandb() -> Any:
    """Import wandb (about half a second); Any: its types are loose.

    Raises:
        TrackerError: it cannot be imported.
    """
    os.environ.setdefault("WANDB_SILENT", "true")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    try:
        import wandb  # noqa: PLC0415  heavy
    except Exception as err:  # the border: whatever breaks at import
        raise TrackerError(
            f"wandb cannot be imported: {err}", hint="pip install 'wandb>=0.31'"
        ) from err
    logging.getLogger("wandb").setLevel(logging.CRITICAL)
    return wandb


def check_login(wandb: Any, settings: WandbSettings) -> None:
    """See to it that W&B would not ask for a key on the terminal; Any: the module wandb.

    Raises:
        TrackerError: there is no key.
    """
    if settings.mode == "online" and not _has_key(wandb):
        raise TrackerError(
            "Weights & Biases has no API key",
            hint="run `wandb login`, set WANDB_API_KEY, or use the setting `mode: offline`",
        )


def _has_key(wandb: Any) -> bool:
    """Look where W&B looks; `wandb.login` would ask the server, and write the user's settings."""
    known = wandb.setup().settings
    if os.environ.get("WANDB_API_KEY") or known.api_key or known.identity_token_file:
        return True
    host = urlsplit(str(known.base_url)).hostname or ""
    for file in (os.environ.get("NETRC"), Path.home() / ".netrc", Path.home() / "_netrc"):
        if file and Path(file).is_file():
            with contextlib.suppress(OSError, netrc.NetrcParseError):
                if netrc.netrc(file).authenticators(host):
                    return True
    return False


@contextlib.contextmanager
def model_run(wandb: Any, settings: WandbSettings, model: str, directory: Path) -> Iterator[Any]:
    """Open the model's run, which is the same one however often it is opened, and finish it.

    Any: the module wandb and its run.

    Raises:
        TrackerError: W&B refused, or could not be reached.
    """
    run = None
    try:
        run = _init(wandb, settings, model, directory)
        yield run
        run.finish()
    except (TrackerError, OSError):
        _abandon(run)
        raise
    except Exception as err:  # the border: wandb, its service, its network
        _abandon(run)
        lines = str(err).strip().splitlines()
        what = lines[0] if lines else type(err).__name__
        raise TrackerError(f"Weights & Biases does not take it: {what}") from err


def _init(wandb: Any, settings: WandbSettings, model: str, directory: Path) -> Any:
    """Open the run; W&B's service holds an id for a moment after the run was finished."""
    quiet = wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        save_code=False,
        x_disable_stats=True,
        x_disable_machine_info=True,
        init_timeout=settings.timeout_s * 2 / 3,
    )
    give_up_at = time.monotonic() + min(settings.timeout_s / 2, 5.0)
    while True:
        try:
            return wandb.init(
                project=settings.project,
                entity=settings.entity,
                id=run_id(model),
                name=model[:_MAX_RUN_NAME],
                job_type="evaluation",
                resume="allow",
                reinit="create_new",
                mode=settings.mode,
                dir=str(directory),
                settings=quiet,
            )
        except Exception as err:  # of several classes, some of them private
            if "is in use" not in str(err) or time.monotonic() > give_up_at:
                raise
            time.sleep(_POLL_S)


def _abandon(run: Any) -> None:
    """Finish a run in trouble; its error is on its way already."""
    if run is not None:
        with contextlib.suppress(Exception):
            run.finish(exit_code=1)
