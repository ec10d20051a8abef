"""Ending the process: with an exit code, and without waiting for a thread that hangs."""

from __future__ import annotations

import os
import sys
import threading
from typing import NoReturn

from llmeval_core.process_state import THREAD_NAME


def exit_process(code: int) -> NoReturn:
    """Exit; `sys.exit` alone would wait for every thread, and one that hangs never ends."""
    hanging = [thread for thread in threading.enumerate() if thread.name.startswith(THREAD_NAME)]
    if hanging:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
