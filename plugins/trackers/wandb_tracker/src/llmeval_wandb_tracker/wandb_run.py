"""Opens and finishes the run of a model; nothing is printed."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llmeval_core.hooks import TrackerError
from llmeval_wandb_tracker.run_summary import run_id
from llmeval_wandb_tracker.settings import WandbSettings
from llmeval_wandb_tracker.wandb_environment import has_netrc_login, missing_key_error

_MAX_RUN_NAME = 128
_MAX_MESSAGE = 240
_POLL_S = 0.05
_UNREACHABLE = re.compile(
    r"context deadline exceeded|timed? ?out|connection (refused|reset)|no such host|dial tcp"
    r"|failed to connect|status (5\d\d)|Temporary failure in name resolution",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(401|403)\b|unauthorized|permission denied|not logged in", re.IGNORECASE)


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
    """Check that W&B would not ask for a key on the terminal; Any: the module wandb.

    Raises:
        TrackerError: there is no key.
    """
    if settings.mode == "online" and not _has_key(wandb):
        raise missing_key_error()


def _has_key(wandb: Any) -> bool:
    """Look where W&B looks; `wandb.login` would call the server and write the user's settings."""
    known = wandb.setup().settings
    if os.environ.get("WANDB_API_KEY") or known.api_key or known.identity_token_file:
        return True
    return has_netrc_login(os.environ, urlsplit(str(known.base_url)).netloc.rpartition("@")[2])


@contextlib.contextmanager
def model_run(wandb: Any, settings: WandbSettings, model: str, directory: Path) -> Iterator[Any]:
    """Open the model's run, always the same one, and finish it.

    After an error the run is not finished: that would take the server that has failed, and the
    process is ended after an error.

    Any: the module wandb and its run.

    Raises:
        TrackerError: W&B refused, or could not be reached.
    """
    try:
        run = _init(wandb, settings, model, directory)
        yield run
        run.finish()
    except Exception as err:  # the border: wandb, its service, its network
        host = urlsplit(str(wandb.setup().settings.base_url)).netloc.rpartition("@")[2]
        raise _mapped_error(str(err).strip() or type(err).__name__, host) from err


def _mapped_error(text: str, host: str) -> TrackerError:
    """Return our error for W&B's; `host` is the server."""
    if _UNREACHABLE.search(text):
        return TrackerError(
            f"Weights & Biases at {host} cannot be reached",
            hint="is the network up? the setting `mode: offline` needs none",
        )
    line = text.splitlines()[0][:_MAX_MESSAGE]
    hint = None
    if _DENIED.search(text):
        hint = "run `wandb login --relogin`, or look at WANDB_API_KEY and the setting entity"
    elif "created and deleted" in text:
        hint = "W&B never uses a run's id again: restore the run there, or set another project"
    return TrackerError(f"Weights & Biases at {host} does not take it: {line}", hint=hint)


def _init(wandb: Any, settings: WandbSettings, model: str, directory: Path) -> Any:
    """Open the run; its id stays in use for a moment after it was finished, so this waits."""
    quiet = wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        save_code=False,
        x_save_requirements=False,
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
