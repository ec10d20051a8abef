"""What several plugins need and none should write by hand; `docs/plugins.md` has examples.

Child processes, back-off, a circuit breaker, files that are replaced as a whole, choice of
language, data in wheels. It knows nothing of evaluations; what does is in `llmeval_core.hooks`.
"""

from llmeval_core.support.atomic_files import atomic_draft, write_atomically
from llmeval_core.support.backoff import Backoff
from llmeval_core.support.blocking_child_process import BlockingChildProcess
from llmeval_core.support.child_command import ChildCommand, ChildEndedError, python_command
from llmeval_core.support.child_messages import ParentChannel
from llmeval_core.support.child_process import ChildProcess
from llmeval_core.support.circuit_breaker import CircuitBreaker
from llmeval_core.support.language_choice import choose_language
from llmeval_core.support.process_keeper import descendants, kill_process_tree
from llmeval_core.support.wheels import (
    FetchError,
    Wheel,
    cache_folder,
    cached_wheel,
    fetch_wheel,
    file_sha256,
)

__all__ = [
    "Backoff",
    "BlockingChildProcess",
    "ChildCommand",
    "ChildEndedError",
    "ChildProcess",
    "CircuitBreaker",
    "FetchError",
    "ParentChannel",
    "Wheel",
    "atomic_draft",
    "cache_folder",
    "cached_wheel",
    "choose_language",
    "descendants",
    "fetch_wheel",
    "file_sha256",
    "kill_process_tree",
    "python_command",
    "write_atomically",
]
