"""How the process ends: with an exit code, and without waiting for a thread that hangs."""

from __future__ import annotations

import os
import sys
import threading
from typing import NoReturn

from llmeval_core.containing import THREAD_NAME


def leave(code: int) -> NoReturn:
    """Exit; Python itself would wait for every thread to end, which one that hangs never does."""
    hanging = [thread for thread in threading.enumerate() if thread.name.startswith(THREAD_NAME)]
    if hanging:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
