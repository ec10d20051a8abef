"""Classifying an error response by its wording, which is often more exact than its status."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llmeval_core.hooks import FailureKind
from llmeval_models.http.error_body import ErrorBody

_TOO_LONG = re.compile(
    r"context_length_exceeded"  # OpenAI
    r"|maximum context length"  # OpenAI, vLLM
    r"|exceed_context_size"  # llama.cpp
    r"|prompt is too long"  # Anthropic
    r"|context window|request too large|input is too long|exceeds? (?:the )?context limit"
    r"|exceeds the maximum number of tokens"  # Gemini
)
_FILTERED = re.compile(
    r"content[_ -]?filter|content[_ -]?(?:management[_ -]|safety[_ -])?polic|policy[_ -]?violat"
    r"|violat\w+ .{0,60}(?:polic|guideline|terms)|responsibleaipolicy|usage polic|safety system"
    r"|moderation|\bflagged\b|guardrail|prohibited[_ ]content|data_?inspection_?failed"
    r"|(?:inappropriate|sensitive|harmful|unsafe) content|blocked by (?:our |the )?(?:safety|cont)"
    r"|content exists risk|contentfilter|不安全|敏感内容|违规"  # DeepSeek, Zhipu
    r"|\bbio_policy\b"  # OpenAI's Responses
)
_OF_ACCOUNT = re.compile(
    r"(?:account|organi[sz]ation|workspace|api[ _-]?key)\W.{0,60}"
    r"(?:flagged|suspended|deactivated|banned|disabled|terminated|restricted)"
)
_NO_MONEY = re.compile(
    r"insufficient_quota|insufficient (?:credit|balance|fund)|billing[_ ](?:hard|not)"
    r"|(?:credit|account) balance|out of credit|no credits?\b|payment required|more credits"
)
_NO_MONEY_UNLESS_TOLD = re.compile(r"plan and billing|check your billing|billing details")
_BAD_KEY = re.compile(
    r"(?:invalid|incorrect|wrong|expired|missing|no) (?:\w+ )?(?:api|access|subscription)[ _-]?key"
    r"|(?:api|access|subscription)[ _-]?key .{0,30}(?:invalid|not valid|expired|missing|incorrect)"
    r"|invalid_api_key|authentication_error|invalid_token|unauthenticated|permission_denied"
)
_LIMITED = re.compile(
    r"throttl|rate[ _-]?limit|ratelimit|too many (?:requests|tokens)|resource_exhausted"
    r"|resource has been exhausted|(?:exceed|reach|exhaust)\w* .{0,60}quota"
    r"|quota .{0,60}(?:exceed|reach|exhaust)|quota_?exceeded|slow ?down"
)
_BUSY = re.compile(
    r"overloaded|over capacity|(?:at|no|insufficient|exceeded?) (?:\w+ )?capacity"
    r"|capacity .{0,30}(?:exceed|reach|exhaust|full)|temporarily|currently unavailable"
    r"|server is busy"
    r"|try again|retry (?:later|in|after|your request)"
)
_WRONG_PORT = re.compile(r"plain http request was sent to https|http request to an https server")
_OF_MODEL = re.compile(
    r"model\b.{0,200}(?:not found|not exist|n't exist|unknown|not available|not supported|no access"
    r"|not have access|not loaded|not deployed)|(?:no such|unknown|invalid|unsupported) model"
    r"|^not_found_error model:"  # Anthropic
    r"|model_not_found|deploymentnotfound|deployment .{0,60}not exist"
)
_OF_PATH = re.compile(
    r"not found$|page not found|no such (?:path|url|endpoint|route)|(?:unknown|invalid|unexpected)"
    r" (?:url|endpoint|path|route|request url)|cannot post|no route|resource not found|no handler"
    r"|method not allowed|endpoint or method"
)
NO_MONEY_HINT = "the account has no credit left, or its budget is used up"
PATH_HINT = "no model is asked there: is base_url the address of the API? most end in /v1"


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """What an error response means.

    Attributes:
        hint: what to try; None for what is usual for the kind.
        is_doubtful: whether it may be of this request alone, although it looks like the key's or
            the name's.
    """

    kind: FailureKind
    hint: str | None = None
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class _WordingRule:
    """A pattern for the wording of an error response, with the statuses that it holds for.

    Attributes:
        below: statuses that are lower than this.
        but: statuses at which the words mean nothing.
        unless: words beside which they mean nothing.
        unless_delay_given: whether they mean nothing where the server tells for how long to wait.
    """

    words: re.Pattern[str]
    meaning: ErrorMeaning
    below: int = 600
    but: tuple[int, ...] = ()
    unless: re.Pattern[str] | None = None
    unless_delay_given: bool = False

    def fits(self, status: int, words: str, *, is_delay_given: bool) -> bool:
        """Whether it is meant."""
        return (
            status < self.below
            and status not in self.but
            and not (self.unless_delay_given and is_delay_given)
            and self.words.search(words) is not None
            and not (self.unless and self.unless.search(words))
        )


_RULES = (
    _WordingRule(
        _WRONG_PORT, ErrorMeaning("not_found", "this port speaks TLS: write https:// in base_url")
    ),
    _WordingRule(_TOO_LONG, ErrorMeaning("context_too_long"), but=(401,)),
    _WordingRule(
        _FILTERED,
        ErrorMeaning("filtered", "a moderation refuses this prompt"),
        below=500,
        but=(401, 402, 429),
        unless=_OF_ACCOUNT,
    ),
    _WordingRule(_OF_ACCOUNT, ErrorMeaning("auth"), below=500, but=(402, 429)),
    _WordingRule(_NO_MONEY, ErrorMeaning("auth", NO_MONEY_HINT), below=500),
    _WordingRule(
        _NO_MONEY_UNLESS_TOLD,
        ErrorMeaning("auth", NO_MONEY_HINT),
        below=500,
        unless=re.compile("resource_exhausted"),
        unless_delay_given=True,
    ),
    _WordingRule(_LIMITED, ErrorMeaning("rate_limit"), but=(401, 402, 429)),
    _WordingRule(_BAD_KEY, ErrorMeaning("auth"), below=500, but=(402, 429)),
    _WordingRule(_BUSY, ErrorMeaning("overloaded"), below=500, but=(401, 402, 408, 413, 429)),
)
"""The first that fits counts."""


def meaning_of_wording(
    status: int, body: ErrorBody, *, is_delay_given: bool
) -> ErrorMeaning | None:
    """Classify an error response by its wording; None if only its status counts."""
    words = body.words
    for rule in _RULES:
        if rule.fits(status, words, is_delay_given=is_delay_given):
            return rule.meaning
    return None


def names_a_model(body: ErrorBody) -> bool:
    """Whether an error response says that there is no such model."""
    return _OF_MODEL.search(body.words) is not None


def names_a_path(body: ErrorBody) -> bool:
    """Whether an error response says that the path is unknown, or says nothing at all."""
    words = body.words.strip()
    return body.is_html or not words or _OF_PATH.search(words) is not None
