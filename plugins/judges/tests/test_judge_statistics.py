"""The statistics against golden values of scikit-learn, krippendorff, ppi-python and scipy."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_judges.prediction_powered import corrected_mean
from llmeval_judges.rank_correlation import spearman
from llmeval_judges.rater_agreement import (
    base_rate,
    cohen_kappa,
    krippendorff_alpha,
    observed_agreement,
)

GOLDEN = json.loads((Path(__file__).parent / "golden" / "agreement.json").read_text())


def entries(function: str) -> list[Any]:
    return [pytest.param(entry, id=entry["id"]) for entry in GOLDEN[function]]


def close(found: float | None, expected: float | None, tolerance: dict[str, float]) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=tolerance["rel"], abs_tol=tolerance["abs"])


@pytest.mark.parametrize("entry", entries("cohen_kappa"))
def test_kappa_is_that_of_scikit_learn(entry: Any) -> None:
    order = entry["inputs"]["labels"]
    first = [order.index(label) for label in entry["inputs"]["first"]]
    second = [order.index(label) for label in entry["inputs"]["second"]]

    for weights in ("nominal", "linear", "quadratic"):
        found = cohen_kappa(first, second, weights=weights)
        assert close(found, entry["expected"][weights], entry["tolerance"]), weights
    agreement = observed_agreement(first, second)
    assert close(agreement, entry["expected"]["observed_agreement"], entry["tolerance"])


@pytest.mark.parametrize("entry", entries("krippendorff_alpha"))
def test_alpha_is_that_of_krippendorff(entry: Any) -> None:
    columns = zip(*entry["inputs"]["ratings"], strict=True)
    units = [[rating for rating in column if rating is not None] for column in columns]

    for distance in ("nominal", "ordinal", "interval"):
        found = krippendorff_alpha(units, distance=distance)
        assert close(found, entry["expected"][distance], entry["tolerance"]), distance


@pytest.mark.parametrize("entry", entries("ppi_plus_plus_mean"))
def test_the_corrected_mean_is_that_of_ppi_python(entry: Any) -> None:
    inputs, expected = entry["inputs"], entry["expected"]

    found = corrected_mean(
        inputs["labels"], inputs["predictions_labelled"], inputs["predictions_unlabelled"]
    )

    assert found is not None
    low, high = found.interval(inputs["level"])
    assert close(found.estimate, expected["estimate"], entry["tolerance"])
    assert close(found.weight, expected["lambda"], entry["tolerance"])
    assert close(low, expected["low"], entry["tolerance"])
    assert close(high, expected["high"], entry["tolerance"])


@pytest.mark.parametrize(
    ("labels", "judged", "others"), [([1.0], [1.0], [1.0]), ([1, 0], [1, 0], [])]
)
def test_too_few_labels_correct_nothing(
    labels: list[float], judged: list[float], others: list[float]
) -> None:
    assert corrected_mean(labels, judged, others) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # scipy 1.17.1 spearmanr
        ([1, 2, 3, 4, 5], [5, 6, 7, 8, 7], 0.8207826816681233),
        ([1, 1, 2, 3], [2, 1, 1, 4], 0.5),
        ([3, 1, 2], [1, 3, 2], -1.0),
        ([0, 1, 0, 1, 1], [10, 40, 20, 30, 5], 0.28867513459481287),
        ([1, 1, 1], [1, 2, 3], None),
        ([1, 2], [1, 2], None),
    ],
)
def test_spearman_is_that_of_scipy(
    first: list[float], second: list[float], expected: float | None
) -> None:
    assert close(spearman(first, second), expected, {"rel": 1e-12, "abs": 1e-12})


def test_the_base_rate_is_that_of_the_most_frequent_label() -> None:
    assert base_rate([1, 1, 0, 1]) == 0.75
    assert base_rate([]) is None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=40))
def test_kappa_is_at_most_one_and_alike_both_ways(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]

    for weights in ("nominal", "linear", "quadratic"):
        found = cohen_kappa(first, second, weights=weights)
        other = cohen_kappa(second, first, weights=weights)
        assert close(found, other, {"rel": 1e-9, "abs": 1e-9})
        assert found is None or found <= 1
