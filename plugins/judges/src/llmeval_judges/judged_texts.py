"""What a judge is told of a sample: its question, references, context and images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from llmeval_core.hooks import Generation, ImagePart, Json, Message, Sample
from llmeval_judges.fenced_data import FencedText
from llmeval_judges.judge_prompt import JudgePrompt
from llmeval_judges.rubric import Need


def answers_of(generation: Generation) -> tuple[str, ...]:
    """Return the answers, at least one.

    Raises:
        ValueError: there is none, because the choices were scored by log-likelihood.
    """
    if not generation.texts:
        raise ValueError("there is no text to judge; the model only scored the choices")
    return generation.texts


def texts_of_sample(
    sample: Sample,
    prompt: JudgePrompt,
    *,
    needs: tuple[Need, ...] = (),
    uses: tuple[Need, ...] = (),
    context_key: str = "context",
    script_key: str | None = None,
    follow_ups: Sequence[Message] = (),
) -> list[FencedText]:
    """List what a judge is shown of a sample: its question, and what the rubric needs or uses.

    Args:
        sample: the sample.
        prompt: of the judge.
        needs, uses: of the rubric.
        context_key: where in the metadata the context is.
        script_key: where the user's next turns are, for answers that are judged together; None to
            show `follow_ups` instead.
        follow_ups: what was said between the question and the judged answer.

    Raises:
        ValueError: it lacks what the rubric needs.
    """
    texts = [FencedText(prompt.title("question"), sample.input_text)]
    if script_key is not None:
        texts += [
            FencedText(prompt.title("next", number), text)
            for number, text in enumerate(_script(sample, script_key), 1)
        ]
    else:
        texts += _said(prompt, follow_ups)
    context = _context(sample.metadata.get(context_key))
    if context and "context" in (*needs, *uses):
        texts.append(FencedText(prompt.title("context"), context))
    elif not context and "context" in needs:
        raise ValueError(f"the sample has no context: there is no '{context_key}' in its metadata")
    if "reference" in (*needs, *uses):
        numbered = len(sample.references) > 1
        texts += [
            FencedText(prompt.title("reference", number if numbered else None), reference)
            for number, reference in enumerate(sample.references, 1)
        ]
    if "reference" in needs and not sample.references:
        raise ValueError("the sample has no reference")
    return texts


def earlier_answers(follow_ups: Sequence[Message]) -> tuple[str, ...]:
    """Return what the judged model said before the judged answer."""
    return tuple(one.text for one in follow_ups if one.role == "assistant" and one.text)


def _said(prompt: JudgePrompt, follow_ups: Sequence[Message]) -> list[FencedText]:
    """List a conversation; each message has fences of its own, so that none can forge another."""
    numbers: Counter[str] = Counter()
    texts = []
    for kind, text in chain.from_iterable(map(_kinds, follow_ups)):
        numbers[kind] += 1
        texts.append(FencedText(prompt.title(kind, numbers[kind]), text))
    return texts


def _kinds(message: Message) -> Iterator[tuple[str, str]]:
    """Give the texts of a message with what each is."""
    kind = {"assistant": "earlier", "tool": "tool", "user": "next", "system": "next"}[message.role]
    if message.text or not message.tool_calls:
        yield kind, message.text
    for call in message.tool_calls:
        yield "call", f"{call.name}({call.arguments})"


def _script(sample: Sample, key: str) -> list[str]:
    script = sample.metadata.get(key)
    if not isinstance(script, list) or not all(isinstance(one, str) for one in script):
        raise ValueError(f"there is no list of texts '{key}' in the sample's metadata")
    return [str(one) for one in script]


def _context(given: Json) -> str:
    """Read a context: a text, or a list of texts; empty if it is something else."""
    if isinstance(given, list):
        parts = [part for part in given if isinstance(part, str)]
        given = "\n\n".join(parts) if len(parts) == len(given) else None
    return given if isinstance(given, str) and given.strip() else ""


def images_of(sample: Sample) -> tuple[ImagePart, ...]:
    """Return the images of the question, in order."""
    if isinstance(sample.input, str):
        return ()
    return tuple(image for turn in sample.input for image in turn.images)
