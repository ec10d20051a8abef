"""Windows of a long text, against those of lm-evaluation-harness 0.4.13."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_models.likelihood.token_pairs import (
    TokenPair,
    add_windows,
    count_read,
    pair_after_nothing,
    rolling_windows,
)

from llmeval_core.hooks import Loglikelihood, ModelError

FIRST = 99


@pytest.mark.parametrize(
    ("n_tokens", "size", "expected"),
    [
        (1, 4, [([FIRST], [0])]),
        (4, 4, [([FIRST], [0, 1, 2, 3])]),
        (5, 4, [([FIRST], [0, 1, 2, 3]), ([0, 1, 2, 3], [4])]),
        (10, 4, [([FIRST], [0, 1, 2, 3]), ([3], [4, 5, 6, 7]), ([5, 6, 7], [8, 9])]),
        (3, 1, [([FIRST], [0]), ([0], [1]), ([1], [2])]),
    ],
)
def test_windows_are_those_of_the_reference(
    n_tokens: int, size: int, expected: list[tuple[list[int], list[int]]]
) -> None:
    found = rolling_windows([*range(n_tokens)], prefix_token=FIRST, size=size)

    assert expected == [(one.context, one.continuation) for one in found]


@given(st.integers(1, 200), st.integers(1, 50))
def test_each_token_is_weighed_once_after_those_before_it(n_tokens: int, size: int) -> None:
    tokens = [*range(n_tokens)]

    windows = rolling_windows(tokens, prefix_token=FIRST, size=size)

    assert [token for one in windows for token in one.continuation] == tokens
    for one in windows:
        row = [*one.context, *one.continuation]
        assert 2 <= len(row) <= size + 1
        assert row == [FIRST, *tokens][one.continuation[-1] + 2 - len(row) :][: len(row)]
    if n_tokens > size:
        assert {len(one.context) + len(one.continuation) for one in windows} == {size + 1}


@pytest.mark.parametrize(
    ("tokens", "first", "what"),
    [
        ([], FIRST, "there is no token to score"),
        ([1], None, "the tokenizer has no first token"),
    ],
)
def test_what_has_no_windows(tokens: list[int], first: int | None, what: str) -> None:
    with pytest.raises(ModelError) as caught:
        rolling_windows(tokens, prefix_token=first, size=4)

    assert (caught.value.kind, caught.value.what) == ("bad_request", what)


@pytest.mark.parametrize(
    ("tokens", "first", "expected"),
    [
        ([1, 2], FIRST, TokenPair([FIRST], [1, 2])),
        ([FIRST, 2], FIRST, TokenPair([FIRST], [2])),
        ([1, 2], None, TokenPair([1], [2])),
        ([], FIRST, TokenPair([FIRST], [])),
    ],
)
def test_what_stands_before_a_text_without_a_prompt(
    tokens: list[int], first: int | None, expected: TokenPair
) -> None:
    assert expected == pair_after_nothing(tokens, prefix_token=first)


@pytest.mark.parametrize(
    ("greedy", "expected"),
    [((True, True), True), ((True, False), False), ((True, None), None), ((False, None), None)],
)
def test_windows_are_added_up(
    greedy: tuple[bool | None, bool | None], expected: bool | None
) -> None:
    windows = [TokenPair([FIRST], [0, 1]), TokenPair([0], [2])]
    scores = [Loglikelihood(-1.5, 2, greedy[0]), Loglikelihood(-0.25, 1, greedy[1])]

    found = add_windows(scores, windows)

    assert found == Loglikelihood(-1.75, 3, expected)
    assert count_read(windows) == 5
