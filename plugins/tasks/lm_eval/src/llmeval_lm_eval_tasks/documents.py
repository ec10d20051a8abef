"""What people see of one of lm-eval's documents: the question, what is right, the choices."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import Sample


def sample_of(task: Any, number: int, doc: Any, context: Any) -> Sample:
    """Make the sample of a document; its id is lm-eval's `doc_id`.

    Only what YAML says is asked again: a function may draw random numbers.

    Args:
        task: lm-eval's task object; Any: it has no types.
        number: the document's place.
        doc: the document.
        context: the prompt, or one for each choice.
    """
    config = task.config
    prompt = context[-1] if isinstance(context, list) else context
    text, target = config.doc_to_text, config.doc_to_target
    shown = task.doc_to_text(doc) if isinstance(text, str) else prompt
    choices = _choices(task, doc)
    found = task.doc_to_target(doc) if isinstance(target, str | int | list) else None
    answer = (
        shown if isinstance(shown, int) else found
    )  # with several inputs, the text is the index
    if isinstance(answer, str) and answer in choices:
        answer = choices.index(answer)
    right = answer if type(answer) is int and 0 <= answer < len(choices) else None
    return Sample(
        str(number),
        shown if isinstance(shown, str) else str(prompt),
        references=_texts(found) if right is None else (choices[right],),
        choices=() if right is None else choices,
        answer=right,
    )


def _choices(task: Any, doc: Any) -> tuple[str, ...]:
    declared = task.config.doc_to_choice
    if not isinstance(declared, str | list | dict):
        return ()
    return _texts(task.doc_to_choice(doc))


def _texts(value: Any) -> tuple[str, ...]:
    """Write what a field has as texts; Any: whatever the data have."""
    if value is None:
        return ()
    listed = value if isinstance(value, list | tuple) else [value]
    return tuple(one if isinstance(one, str) else str(one) for one in listed)
