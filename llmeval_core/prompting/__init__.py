"""From a sample to a request: templates, few-shot examples, conversations, fingerprints."""

from llmeval_core.prompting.prompter import Prompter
from llmeval_core.prompting.renderer import PromptRenderer, RenderedPrompt
from llmeval_core.prompting.renderers import PromptRenderers
from llmeval_core.prompting.requests import make_request
from llmeval_core.prompting.templates import PromptError

__all__ = [
    "PromptError",
    "PromptRenderer",
    "PromptRenderers",
    "Prompter",
    "RenderedPrompt",
    "make_request",
]
