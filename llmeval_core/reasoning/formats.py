"""Reasoning that no tags mark: gpt-oss's channels, and phrases at the beginning of a text."""

from __future__ import annotations

import re

from llmeval_core.reasoning.split import ReasoningSplit, strip_answer_markers

_CHANNEL = re.compile(
    r"(?:<\|channel\|>\s*)?(analysis|commentary|final)\b[^<\n]{0,100}"
    r"(?:<\|constrain\|>[^<\n]{0,100})?<\|message\|>"
)
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start)\|>")
_BARE_ANALYSIS = re.compile(r"analysis(?:(?=\w)|\s*\n)")
_BARE_FINAL = re.compile(r"assistant(?:\s*\n\s*)?final")
_BEGINS_A_SENTENCE = re.compile(r"analysis(?:\s*\n|[^\W\d_a-z])")
_PHRASES = (
    (r"\s*Here(?:'s| is) my thought process:", r"Here(?:'s| is) my response:"),  # Granite 3
    (r"\s*Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),  # Apriel
)


def split_by_channels(text: str, *, is_cut_off: bool = False) -> ReasoningSplit | None:
    """Take the last `final` channel of gpt-oss's format, also where its special tokens are lost."""
    if "<|message|>" not in text:
        return _split_by_bare_channels(text, is_cut_off=is_cut_off)
    channels = list(_CHANNEL.finditer(text))
    finals = [channel for channel in channels if channel[1] == "final"]
    if not channels:
        return None
    thoughts = [
        _CHANNEL_END.split(text[channel.end() :], maxsplit=1)[0].strip()
        for channel in channels
        if channel[1] != "final"
    ]
    answer = _CHANNEL_END.split(text[finals[-1].end() :], maxsplit=1)[0] if finals else ""
    return ReasoningSplit(strip_answer_markers(answer), "\n".join(thoughts), is_open=not finals)


def _split_by_bare_channels(text: str, *, is_cut_off: bool) -> ReasoningSplit | None:
    """Read `analysisWe need ...assistantfinalParis`: names of channels with nothing around them."""
    begin = _BARE_ANALYSIS.match(text)
    if begin is None:
        return None
    *_, last = [None, *_BARE_FINAL.finditer(text)]
    if last is not None:
        return ReasoningSplit(
            strip_answer_markers(text[last.end() :]), text[begin.end() : last.start()].strip()
        )
    if is_cut_off and _BEGINS_A_SENTENCE.match(text):
        return ReasoningSplit("", text[begin.end() :].strip(), is_open=True)
    return None


def split_by_phrases(text: str, *, is_cut_off: bool) -> ReasoningSplit | None:
    """Tell apart what phrases announce; both must be there, unless the text was cut off."""
    for opening, closing in _PHRASES:
        begin = re.match(opening, text)
        if begin is None:
            continue
        end = re.search(closing, text)
        if end is not None:
            thought = text[begin.end() : end.start()].strip()
            return ReasoningSplit(strip_answer_markers(text[end.end() :]), thought)
        if is_cut_off:
            return ReasoningSplit("", text[begin.end() :].strip(), is_open=True)
    return None
