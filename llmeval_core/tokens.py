"""How many tokens a text will be, where no tokenizer is at hand.

The rule: one for each Chinese, Japanese or Korean character, one for four others, four for each
message. For English prose it is within a fifth of the tokenizers of OpenAI, Llama and Qwen; for
Japanese it is up to a half too high for the newest of them.
"""

from __future__ import annotations

import re

from llmeval_core.records import Request

PER_MESSAGE = 4
"""Tokens that a chat's framing adds to each message."""
PER_IMAGE = 1000
"""Tokens of an image: of one megapixel the models of 2024 to 2026 make 750 to 1,600."""
MOST_TOKENS = 10**9
"""No answer reads or writes more: a higher count is a mistake, and so unknown."""
_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text."""
    if text.isascii():
        return -(-len(text) // 4)
    n_east_asian = len(_EAST_ASIAN.findall(text))
    return n_east_asian + -(-(len(text) - n_east_asian) // 4)


def prompt_tokens(request: Request) -> int:
    """Estimate the tokens that a model reads for a request."""
    total = estimate_tokens(request.prompt) if request.prompt else 0
    for message in request.messages:
        total += PER_MESSAGE + estimate_tokens(message.text)
        if type(message.content) is not str:
            total += PER_IMAGE * len(message.images)
    for tool in request.tools:
        total += estimate_tokens(tool.description) + estimate_tokens(str(tool.parameters))
    if request.continuations:  # each is weighed after the prompt
        total = sum(total + estimate_tokens(text) for text in request.continuations)
    return total


def expected_tokens(request: Request) -> int:
    """Estimate what a request uses of a quota of tokens: what is read, and the most written."""
    written = 0 if request.continuations else (request.settings.max_tokens or 0)
    return prompt_tokens(request) + written * request.settings.n
