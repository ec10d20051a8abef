"""A causal language model and its tokenizer, loaded; everything here blocks and runs in a thread.

Any: torch's and transformers' objects, whose types are not looked into.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers

from llmeval_core.hooks import Message, ModelError, chat_message
from llmeval_models.model_settings import TransformersSettings

_NO_LIMIT = 10**9
"""Tokenizers without a bound tell a number beyond it."""
_USUAL_CONTEXT = 2048
_REASONING_MARK = re.compile("think|thought|reason|channel", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CausalModel:
    """A loaded model.

    Attributes:
        name: whose answers they are, with the commit of its weights if that is known.
        tokenizer: transformers' tokenizer.
        network: transformers' model, on its device.
        context_size: most tokens of prompt and answer together.
        template_args: more arguments for the chat template; Any: JSON.
        marks_reasoning: whether reasoning stands between special tokens.
    """

    name: str
    tokenizer: Any
    network: Any
    context_size: int
    template_args: Mapping[str, Any]
    marks_reasoning: bool

    @property
    def prefix_token(self) -> int | None:
        """What stands before a text that has nothing before it, as in lm-evaluation-harness."""
        first: int | None = self.tokenizer.bos_token_id
        return self.tokenizer.eos_token_id if first is None else first

    @property
    def pad_token(self) -> int:
        """What fills up a batch; it is masked, so that any will do."""
        for token in (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        return 0

    @property
    def end_tokens(self) -> frozenset[int]:
        """Tokens at which the model says that it has ended."""
        told = self.network.generation_config.eos_token_id
        found = told if isinstance(told, list) else [told, self.tokenizer.eos_token_id]
        return frozenset(int(token) for token in found if token is not None)

    def encode(self, text: str) -> list[int]:
        """Read a text with the special tokens that the tokenizer puts around it by itself.

        A text that has the first of them already gets no second one.
        """
        first = self.tokenizer.bos_token
        if first and text.startswith(first):
            return self.encode_bare(text)
        tokens: list[int] = self.tokenizer.encode(text)
        return tokens

    def encode_bare(self, text: str) -> list[int]:
        """Read a text without special tokens around it."""
        tokens: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def encode_chat(self, messages: Sequence[Message], args: Mapping[str, Any]) -> list[int]:
        """Read a conversation as the model's template writes it; Any: JSON.

        An answer that is begun, at the end, is continued.

        Raises:
            ModelError: `bad_request`, there is no template, or it refuses the conversation.
        """
        if not self.tokenizer.chat_template:
            raise ModelError(
                "bad_request",
                f"the tokenizer of '{self.name}' has no chat template",
                hint="set `chat: false`, and prompts are sent as texts",
            )
        is_begun = bool(messages) and messages[-1].role == "assistant"
        try:
            text: str = self.tokenizer.apply_chat_template(
                [chat_message(turn) for turn in messages],
                tokenize=False,
                add_generation_prompt=not is_begun,
                continue_final_message=is_begun,
                **{**self.template_args, **args},
            )
        except Exception as err:  # a template is foreign code, and raises what it likes
            raise ModelError(
                "bad_request", f"the chat template refuses the conversation: {_first_line(err)}"
            ) from err
        return self.encode_bare(text)

    def decode(self, tokens: Sequence[int]) -> str:
        """Write tokens as a text without special ones, as lm-evaluation-harness and vLLM do.

        Where reasoning is marked by special tokens they stay, but for begin and end of the text: a
        thought without its marks would be taken for an answer.
        """
        if self.marks_reasoning:
            left_out = {self.tokenizer.bos_token_id, self.tokenizer.pad_token_id, *self.end_tokens}
            tokens = [token for token in tokens if token not in left_out]
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=not self.marks_reasoning)
        return text


def load_causal_model(model: str, settings: TransformersSettings) -> CausalModel:
    """Load tokenizer and weights, from a folder, the cache or the hub.

    Raises:
        ModelError: `not_found`, they cannot be loaded.
    """
    weights = os.path.expanduser(settings.weights or model)
    given = {"revision": settings.revision, "trust_remote_code": settings.trust_remote_code}
    transformers.utils.logging.disable_progress_bar()
    try:
        device = torch.device(_device(settings.device))
        tokenizer = transformers.AutoTokenizer.from_pretrained(weights, **given)
        network = transformers.AutoModelForCausalLM.from_pretrained(
            weights, dtype=settings.dtype, **given
        )
        network = network.to(device).eval()
    except Exception as err:  # boundary: libraries, and perhaps code that the model brings
        raise ModelError(
            "not_found",
            f"transformers cannot load the model: {_first_line(err)}",
            where=weights,
            hint="a name on the Hugging Face hub, or a folder as `save_pretrained` makes it; "
            "does `device` exist?",
        ) from err
    commit = getattr(network.config, "_commit_hash", None)  # weights of a folder have none
    return CausalModel(
        name=f"{weights}@{commit[:12]}" if isinstance(commit, str) else model,
        tokenizer=tokenizer,
        network=network,
        context_size=settings.context_size or _context_size(network.config, tokenizer),
        template_args=settings.chat_template_args,
        marks_reasoning=any(
            token.special and _REASONING_MARK.search(token.content)
            for token in tokenizer.added_tokens_decoder.values()
        ),
    )


def _device(wanted: str) -> str:
    """Choose the fastest device there is, unless one is named."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _context_size(config: Any, tokenizer: Any) -> int:
    """Find the longest context of a model, as lm-evaluation-harness does."""
    inner = config.get_text_config()
    for name in ("n_positions", "max_position_embeddings", "n_ctx"):
        found = getattr(inner, name, None)
        if isinstance(found, int) and found > 0:
            return found
    told: int = tokenizer.model_max_length
    return told if told < _NO_LIMIT else _USUAL_CONTEXT


def _first_line(err: BaseException) -> str:
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return (lines or [type(err).__name__])[0][:300]
