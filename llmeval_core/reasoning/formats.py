"""Reasoning that no tags mark: gpt-oss's channels, and phrases at the beginning of a text."""

from __future__ import annotations

import re

from llmeval_core.reasoning.parted import Parted, bare_answer

_CHANNEL = re.compile(
    r"(?:<\|channel\|>\s*)?(analysis|commentary|final)\b[^<\n]{0,100}"
    r"(?:<\|constrain\|>[^<\n]{0,100})?<\|message\|>"
)
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start)\|>")
_BARE_CHANNEL = re.compile(r"assistant\s*final")
_PHRASES = (
    (r"\s*Here(?:'s| is) my thought process:", r"Here(?:'s| is) my response:"),  # Granite 3
    (r"\s*Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),  # Apriel
)


def by_channels(text: str) -> Parted | None:
    """Take the last `final` channel of gpt-oss's format, also where its special tokens are lost."""
    if "<|message|>" not in text:
        last = None
        if text.startswith("analysis"):
            *_, last = [None, *_BARE_CHANNEL.finditer(text)]
        if last is None:
            return None
        return Parted(bare_answer(text[last.end() :]), text[len("analysis") : last.start()].strip())
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
    return Parted(bare_answer(answer), "\n".join(thoughts), is_open=not finals)


def by_phrases(text: str, *, is_cut_off: bool) -> Parted | None:
    """Tell apart what phrases announce; both must be there, unless the text was cut off."""
    for opening, closing in _PHRASES:
        begin = re.match(opening, text)
        if begin is None:
            continue
        end = re.search(closing, text)
        if end is not None:
            thought = text[begin.end() : end.start()].strip()
            return Parted(bare_answer(text[end.end() :]), thought)
        if is_cut_off:
            return Parted("", text[begin.end() :].strip(), is_open=True)
    return None
