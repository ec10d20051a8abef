"""The boundary between the tokens of a prompt and of a continuation."""

from __future__ import annotations

from llmeval_core.hooks import ModelError, Request


def split_at_token_boundary(request: Request) -> tuple[str, list[str]]:
    """Return the prompt up to its last character that is not white space, and what follows it.

    The spaces belong to the continuations: tokenizers join a space to the word after it, so
    `Answer: ` and `Paris` are read as `Answer:` and ` Paris`. As `_encode_pair` of
    lm-evaluation-harness 0.4.

    Raises:
        ModelError: `bad_request`, a continuation is empty: nothing is always certain, so that it
            would win against every other.
    """
    stem = request.prompt.rstrip()
    spaces = request.prompt[len(stem) :]
    for place, text in enumerate(request.continuations, start=1):
        if not text:
            raise ModelError(
                "bad_request",
                f"choice {place} is empty, so there is nothing to score",
                hint="give each choice a text, or leave the sample out",
            )
    return stem, [spaces + text for text in request.continuations]
