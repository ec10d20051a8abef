"""MLflow's own client, with a deadline for each piece of work."""

from __future__ import annotations

import math
import os
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from typing import Any

from llmeval_core.support import Backoff
from llmeval_mlflow_tracker.bounded_http import install
from llmeval_mlflow_tracker.call_bounds import bounded
from llmeval_mlflow_tracker.error_mapping import map_error
from llmeval_mlflow_tracker.mlflow_errors import MlflowError, public_uri

_MAX_ATTEMPTS = 3
_WAITS = Backoff(first_s=0.1, longest_s=math.inf, factor=4, spread=(0.5, 1.5))


@dataclass(frozen=True, slots=True)
class MlflowConnection:
    """MLflow's client, and the module with its records.

    Any: mlflow has no useful type information; what it returns is Any until it is turned into a
    type of ours.

    Args:
        uri: the tracking URI.
        client: an `MlflowClient`.
        entities: the module `mlflow.entities`.
    """

    uri: str
    client: Any
    entities: Any


def load_mlflow(uri: str, *, timeout_s: float, is_direct: bool) -> None:
    """Import mlflow (1 to 3 s of CPU); blocks, so call it from a thread.

    MLflow reads its limits from the environment at each call; what the user has set there stays.
    Its defaults let the client block for four minutes when a connection is refused.

    Args:
        uri: the tracking URI, for the error.
        timeout_s: how long a piece of work may take.
        is_direct: whether this process opens a database itself, which needs more of mlflow.

    Raises:
        MlflowError: mlflow cannot be imported.
    """
    for name, value in (
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0"),  # `DeadlineSession` repeats what may be repeated
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", str(max(1, math.floor(timeout_s * 2 / 3)))),
        ("MLFLOW_DISABLE_TELEMETRY", "true"),
        ("MLFLOW_LOGGING_LEVEL", "CRITICAL"),  # it would log what we raise, with a traceback
        ("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true"),
        ("GIT_PYTHON_REFRESH", "quiet"),
    ):
        os.environ.setdefault(name, value)
    try:
        import_module("mlflow.tracking")
        if is_direct:
            import_module("mlflow.store.tracking.sqlalchemy_store")
    except Exception as err:  # the border: whatever breaks at import
        raise map_error(err, uri) from err
    if not is_direct:
        install()


def connect(uri: str) -> MlflowConnection:
    """Make a client, after `load_mlflow`; blocks: an empty database gets its tables here.

    Raises:
        MlflowError: mlflow does not know this kind of URI, or cannot open it.
    """
    try:
        from mlflow import entities  # noqa: PLC0415  heavy
        from mlflow.tracking import MlflowClient  # noqa: PLC0415

        return MlflowConnection(uri, MlflowClient(tracking_uri=uri), entities)
    except Exception as err:  # the border: whatever MLflow thinks of the URI
        raise map_error(err, uri) from err


@dataclass(frozen=True, slots=True)
class DeadlineSession:
    """A connection with the deadline of one piece of work.

    Args:
        connection: to MLflow.
        deadline: on the monotonic clock; no call starts after it.
    """

    connection: MlflowConnection
    deadline: float

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method that may be repeated: a read, or a write that is idempotent.

        Any: arguments and result belong to mlflow.

        Raises:
            MlflowError: MLflow refused, or there is no time left.
        """
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            try:
                return self.call_once(method, *args, **kwargs)
            except MlflowError as err:
                wait_s = _WAITS.wait_s(attempt, told_s=err.retry_after_s)
                is_last = attempt == _MAX_ATTEMPTS
                if is_last or err.kind != "transient" or not self.has_time_for(wait_s):
                    raise
                time.sleep(wait_s)
        raise AssertionError("unreachable")

    def call_once(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method that must not be repeated blindly, such as creating a run.

        Any: arguments and result belong to mlflow.

        Raises:
            MlflowError: MLflow refused, or there is no time left.
        """
        if not self.has_time_for(0):
            raise MlflowError(
                "transient", f"MLflow at {public_uri(self.connection.uri)} does not answer in time"
            )
        try:
            with self._bounds():
                return attrgetter(method)(self.connection.client)(*args, **kwargs)
        except Exception as err:  # the border: mlflow, requests, SQLAlchemy and cloud clients
            raise map_error(err, self.connection.uri) from err

    def _bounds(self) -> AbstractContextManager[None]:
        is_http = self.connection.uri.startswith(("http://", "https://"))
        return bounded(self.deadline) if is_http else nullcontext()

    def has_time_for(self, seconds: float) -> bool:
        """Whether the deadline is further away than that."""
        return time.monotonic() + seconds < self.deadline
