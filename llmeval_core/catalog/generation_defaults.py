"""How answers of one task are generated: settings laid over each other, defaults filled in."""

from __future__ import annotations

from llmeval_core.config import GenerationConfig
from llmeval_core.plan import PlannedPrompt
from llmeval_core.records import GenerationSettings, Mode, Reasoning

COMPLETION_MAX_TOKENS = 256
"""Most tokens of a completion where nobody says: lm-evaluation-harness' `max_gen_toks`. Servers
write 16 if nothing is sent."""
_EXAMPLES_END = "\n\n"
_SHORTEST_HEAD = 2


def lay_over(of_dataset: GenerationConfig, *others: GenerationConfig) -> GenerationConfig:
    """Lay settings over each other: of each key, the last that was set counts.

    None that someone wrote is a value: the setting is not sent. In a data set's defaults it means
    only that the data set does not care. `extra_body` is laid over key by key.
    """
    update = {
        key: value
        for key in of_dataset.model_fields_set
        if (value := getattr(of_dataset, key)) is not None
    }
    for settings in others:
        for key in settings.model_fields_set:
            value = getattr(settings, key)
            if key == "extra_body" and value is not None:
                value = {**(update.get(key) or {}), **value}
            update[key] = value
    return GenerationConfig.model_construct(_fields_set=set(update), **update)


def fill_generation(
    config: GenerationConfig, mode: Mode, prompt: PlannedPrompt
) -> GenerationSettings:
    """Fill in our own defaults for what nobody set.

    Temperature 0; one answer. A completion has `COMPLETION_MAX_TOKENS`, and stops where the next
    example would begin: a base model would go on with a question of its own.
    """
    given = config.model_fields_set
    is_completion = mode == "completion"
    max_tokens, stop = config.max_tokens, config.stop
    if is_completion and "max_tokens" not in given:
        max_tokens = COMPLETION_MAX_TOKENS
    if is_completion and "stop" not in given:
        stop = where_examples_begin(prompt)
    return GenerationSettings(
        max_tokens=max_tokens,
        temperature=config.temperature if "temperature" in given else 0.0,
        top_p=config.top_p,
        seed=config.seed,
        stop=stop or (),
        n=config.n or 1,
        reasoning=Reasoning(config.reasoning.effort, config.reasoning.budget)
        if config.reasoning is not None
        else None,
        extra_body=config.extra_body or {},
    )


def where_examples_begin(prompt: PlannedPrompt) -> tuple[str, ...]:
    """Tell what a model would write before a next example.

    That is the separator, and a new line with what each question begins with, such as `Q:`, as
    far as the template says it literally.
    """
    stops = [prompt.separator if prompt.separator.strip(" ") else _EXAMPLES_END]
    head = prompt.template.partition("{")[0].strip().split("\n")[0].strip()
    if len(head) >= _SHORTEST_HEAD:
        stops.append(f"\n{head}")
    return tuple(stops)
