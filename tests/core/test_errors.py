"""Errors: three lines, and what plugins raise."""

from __future__ import annotations

import pytest

from llmeval_core.errors import (
    ConfigError,
    DatasetError,
    LlmevalError,
    ModelError,
    PluginError,
    TrackerError,
    wrap_plugin_errors,
)


def test_an_error_says_what_where_and_what_to_try() -> None:
    error = LlmevalError("it broke", where="eval.yaml:3, tasks[0]", hint="mend it")

    assert str(error) == "it broke\n  where: eval.yaml:3, tasks[0]\n  try:   mend it"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (LlmevalError("it broke"), "it broke"),
        (ConfigError("it broke", where="here"), "it broke\n  where: here"),
        (DatasetError("it broke", hint="mend it"), "it broke\n  try:   mend it"),
    ],
)
def test_what_is_not_known_is_not_said(error: LlmevalError, text: str) -> None:
    assert str(error) == text


def test_a_model_error_carries_its_kind_and_the_servers_wish() -> None:
    error = ModelError("rate_limit", "slow down", retry_after_s=3.0)

    assert (error.kind, error.retry_after_s) == ("rate_limit", 3.0)


def test_a_tracker_error_is_passing_unless_it_says_otherwise() -> None:
    assert not TrackerError("away").permanent
    assert TrackerError("too large", permanent=True).permanent


def test_a_foreign_error_at_the_border_names_the_plugin_and_its_cause() -> None:
    with (
        pytest.raises(PluginError) as caught,
        wrap_plugin_errors(PluginError, "metric 'm' cannot aggregate", where="m/x, d_0shot"),
    ):
        raise ZeroDivisionError("division by zero")

    assert str(caught.value) == (
        "metric 'm' cannot aggregate: ZeroDivisionError: division by zero\n"
        "  where: m/x, d_0shot\n"
        "  try:   this is a bug in the plugin; tell its author"
    )
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_our_own_errors_and_interruptions_are_not_wrapped() -> None:
    ours = ConfigError("wrong key")

    with (
        pytest.raises(ConfigError) as caught,
        wrap_plugin_errors(DatasetError, "it cannot be read"),
    ):
        raise ours
    with pytest.raises(KeyboardInterrupt), wrap_plugin_errors(DatasetError, "it cannot be read"):
        raise KeyboardInterrupt

    assert caught.value is ours
