"""From a request to a generation: asked, paced, tried again, or failed."""

from llmeval_core.generation.asker import Asker
from llmeval_core.generation.checking import check_generation
from llmeval_core.generation.local import LocalExecutor
from llmeval_core.generation.retrying import FATAL, TRANSIENT, wait_s
from llmeval_core.generation.standing import ModelStanding

__all__ = [
    "FATAL",
    "TRANSIENT",
    "Asker",
    "LocalExecutor",
    "ModelStanding",
    "check_generation",
    "wait_s",
]
