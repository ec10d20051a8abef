"""lm-eval's requests as questions, and answers as what lm-eval's models return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from llmeval_core.hooks import (
    Generation,
    GenerationSettings,
    Json,
    Loglikelihood,
    Message,
    Question,
    Reasoning,
)

_MAX_TOKENS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_DEFAULT_MAX_TOKENS = 256


class ChatPrompt(str):
    """A prompt that is a conversation; lm-eval passes it on as the text that it takes it for."""

    __slots__ = ("turns",)
    turns: tuple[Message, ...]

    @classmethod
    def of(cls, messages: Sequence[Mapping[str, str]], **_: object) -> ChatPrompt:
        """Be the `chat_template` that lm-eval calls."""
        made = cls("\n\n".join(f"{one['role']}: {one['content']}" for one in messages))
        made.turns = tuple(Message(one["role"], one["content"]) for one in messages)
        return made


class UnknownGreedy:
    """Stands for "would greedy decoding say this", where the server does not tell.

    Whoever looks at it makes the sample one that cannot be scored; mostly nobody does.
    """

    def _refuse(self, *_: object) -> NoReturn:
        raise ValueError("the server does not tell whether an answer is the greedy one")

    __bool__ = __int__ = __float__ = __index__ = _refuse
    __add__ = __radd__ = __mul__ = __rmul__ = __eq__ = __hash__ = _refuse


@dataclass(frozen=True, slots=True)
class AskedDocument:
    """A document with lm-eval's requests for it.

    Args:
        doc: the document; Any: whatever the task's data are made of.
        requests: lm-eval's `Instance`s, in their order.
        places: for each request, which question it went into and at which place of it.
        stops: for each question, where its answer ends.
        n_repeats: how often each question is asked.
    """

    doc: Any
    requests: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]
    stops: tuple[tuple[str, ...], ...]
    n_repeats: int


@dataclass(frozen=True, slots=True)
class QuestionMaker:
    """Makes questions of lm-eval's requests.

    Args:
        generation: what the run file lays over generation settings.
        think_end_token: after which an answer begins; None if it is the whole text.
    """

    generation: Mapping[str, Json] = field(default_factory=dict)
    think_end_token: str | None = None

    def questions(self, doc: Any, requests: Sequence[Any]) -> tuple[list[Question], AskedDocument]:
        """Make the questions of one document; choices after one prompt are one question."""
        asked: list[Question] = []
        places: list[tuple[int, int]] = []
        for request in requests:
            question = self._question(request)
            last = asked[-1] if asked else None
            if (
                last is not None
                and question.mode == last.mode == "loglikelihood"
                and question.prompt == last.prompt
            ):
                asked[-1] = replace(last, continuations=last.continuations + question.continuations)
                places.append((len(asked) - 1, len(last.continuations)))
            else:
                asked.append(question)
                places.append((len(asked) - 1, 0))
        n_repeats = max((request.repeats or 1 for request in requests), default=1)
        drawn = [replace(one, draw=draw) for draw in range(n_repeats) for one in asked]
        stops = tuple(one.settings.stop if one.settings else () for one in asked)
        return drawn, AskedDocument(doc, tuple(requests), tuple(places), stops, n_repeats)

    def _question(self, request: Any) -> Question:
        kind, args = request.request_type, request.args
        if kind == "loglikelihood":
            prompt, continuation = args
            return Question(prompt=prompt, continuations=(continuation,), mode="loglikelihood")
        if kind == "loglikelihood_rolling":
            return Question(continuations=(args[0],), mode="rolling")
        prompt, kwargs = args
        settings = laid_over(generation_settings(kwargs), self.generation)
        if isinstance(prompt, ChatPrompt):
            return Question(prompt.turns, mode="chat", settings=settings)
        return Question(prompt=prompt, mode="completion", settings=settings)

    def responses(
        self, asked: AskedDocument, answers: Sequence[Generation], *, unknown_greedy: object
    ) -> list[list[Any]]:
        """Return for each request what lm-eval's models would have returned, repeat by repeat.

        Any: a text, a log-likelihood with its greediness, or a log-likelihood.
        """
        n_questions = len(answers) // asked.n_repeats
        return [
            [
                _weighed(answers[draw * n_questions + at], request, place, unknown_greedy)
                if request.request_type.startswith("loglikelihood")
                else cut_answer(
                    answers[draw * n_questions + at].text, asked.stops[at], self.think_end_token
                )
                for draw in range(request.repeats or 1)
            ]
            for request, (at, place) in zip(asked.requests, asked.places, strict=True)
        ]


def _weighed(answer: Generation, request: Any, place: int, unknown_greedy: object) -> Any:
    """Return a log-likelihood with its greediness, or that of a whole text; Any: lm-eval's."""
    found: Loglikelihood = answer.loglikelihoods[place]
    if request.request_type == "loglikelihood_rolling":
        return found.logprob
    return found.logprob, unknown_greedy if found.is_greedy is None else found.is_greedy


def generation_settings(kwargs: Mapping[str, Any]) -> GenerationSettings:
    """Read lm-eval's `generation_kwargs` as its own models do; Any: YAML."""
    rest = dict(kwargs)
    until = rest.pop("until", None) or []
    bounds = [rest.pop(name, None) for name in _MAX_TOKENS]
    max_tokens = next((bound for bound in bounds if bound is not None), _DEFAULT_MAX_TOKENS)
    temperature = float(rest.pop("temperature", None) or 0.0)
    if rest.pop("do_sample", None) is False:
        temperature = 0.0
    if rest.get("num_beams") == 1:
        del rest["num_beams"]  # what every server does anyway, and some refuse to be told
    top_p = rest.pop("top_p", None)
    return GenerationSettings(
        max_tokens=int(max_tokens),
        temperature=temperature,
        top_p=None if top_p is None else float(top_p),
        stop=tuple([until] if isinstance(until, str) else until),
        extra_body=rest,
    )


def laid_over(settings: GenerationSettings, over: Mapping[str, Json]) -> GenerationSettings:
    """Lay the run file's generation settings over a task's."""
    changes: dict[str, Any] = dict(over)  # Any: fields of several types
    if isinstance(changes.get("reasoning"), dict):
        changes["reasoning"] = Reasoning(**changes["reasoning"])
    if isinstance(changes.get("stop"), list):
        changes["stop"] = tuple(changes["stop"])
    if isinstance(changes.get("extra_body"), dict):
        changes["extra_body"] = {**settings.extra_body, **changes["extra_body"]}
    return replace(settings, **changes)


def cut_answer(text: str, until: str | Sequence[str] | None, think_end_token: str | None) -> str:
    """Return the answer in a text as lm-eval's own models do: after the thinking, to the stop."""
    if think_end_token:
        text = text.rsplit(think_end_token, maxsplit=1)[-1].lstrip()
    for stop in [until] if isinstance(until, str) else until or []:
        if stop:
            text = text.split(stop)[0]
    return text
