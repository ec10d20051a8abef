"""Under which licence data and weights are, and whom to cite; optional parts of components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Attribution:
    """Terms of use, and whom to cite.

    Args:
        licence: of the data or the weights, such as `MIT`.
        citation: whom to cite, such as `Talmor et al. 2019, CommonsenseQA, NAACL`; empty if
            unknown.
    """

    licence: str
    citation: str = ""

    def __str__(self) -> str:
        return f"licence: {self.licence}" + (f"; cite: {self.citation}" if self.citation else "")


@runtime_checkable
class AttributedDataset(Protocol):
    """A data set that knows its licence; `llmeval datasets NAME` shows it."""

    def attribution(self) -> Attribution:
        """Tell licence and citation; cheap, without reading the data."""


@runtime_checkable
class KnownModels(Protocol):
    """A model provider that knows some models by name; `llmeval models NAME` lists them."""

    def known_models(self) -> Mapping[str, Attribution]:
        """Tell the licences of weights, by the model's name; cheap, without network."""
