"""From a request to a generation: asked, paced, tried again, or failed."""

from llmeval_core.generation.asker import Asker
from llmeval_core.generation.checking import check_generation
from llmeval_core.generation.local import LocalExecutor
from llmeval_core.generation.retrying import TRANSIENT, wait_s

__all__ = ["TRANSIENT", "Asker", "LocalExecutor", "check_generation", "wait_s"]
