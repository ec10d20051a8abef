"""A tiny model with random weights and a tokenizer of its own, made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from tokenizers import decoders, models, pre_tokenizers, trainers

TEXTS = ["The capital of France is Paris.", "The capital of Italy is Rome.", "富士山は高い。"]
TEMPLATE = (
    "{% for turn in messages %}<|{{ turn.role }}|>{{ turn.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
CONTEXT_SIZE = 128


def make_tiny_model(
    folder: Path,
    *,
    template: str | None = TEMPLATE,
    special: tuple[str, ...] = (),
    **config: Any,
) -> Path:
    """Write a model of 2 layers; equal arguments give equal weights. Any: LlamaConfig."""
    words = tokenizers.Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    words.train_from_iterator(
        TEXTS * 4,
        trainers.BpeTrainer(
            vocab_size=340,
            special_tokens=[*SPECIAL, *special],
            initial_alphabet=letters,
            show_progress=False,
        ),
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", eos_token="</s>"
    )
    tokenizer.chat_template = template
    with torch.random.fork_rng():
        torch.manual_seed(0)
        shape = {
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": CONTEXT_SIZE,
            "initializer_range": 0.3,
            "bos_token_id": 0,
            "eos_token_id": 1,
            **config,
        }
        network = transformers.LlamaForCausalLM(
            transformers.LlamaConfig(vocab_size=len(tokenizer), **shape)
        )
    transformers.utils.logging.disable_progress_bar()
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
