"""Rows with images and calls of tools: sent as they stand, or named with line and key."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llmeval_datasets.files.file_settings import CsvSettings, FileSettings, TableSettings
from llmeval_datasets.files.parquet import parquet_dataset
from llmeval_datasets.files.text_datasets import csv_dataset, jsonl_dataset

from llmeval_core.hooks import (
    ConfigError,
    Dataset,
    DatasetError,
    ImagePart,
    Message,
    Sample,
    TextPart,
    ToolCall,
)
from llmeval_core.prompting import Prompter
from llmeval_core.testing import check_dataset
from llmeval_core.testing.running import plan_of

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JPEG = b"\xff\xd8\xff\xe0 and so on"
DATA = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
ADDRESS = "https://example.org/cat.jpg?size=2"
IMAGE = ImagePart("image/png", PNG)
ANSWER = {"role": "assistant", "content": "A cat."}
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Tokyo"}'},
}
ASKS = {"role": "user", "content": "And the weather?"}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOLD = {"role": "tool", "tool_call_id": "c1", "name": "weather", "content": "sunny"}
OUTSIDE = "which is not in the folder of the data set"
IMAGE_HINT = (
    "an image is a path (relative to the file, in its folder), a `data:` URI with base64, or an "
    "address that the model's server can fetch"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a data set, with an image below it and a secret beside it."""
    made = tmp_path / "set"
    (made / "images").mkdir(parents=True)
    (made / "images" / "cat.png").write_bytes(PNG)
    (made / "notes.txt").write_text("no image", encoding="utf-8")
    (made / "empty.png").touch()
    (tmp_path / "secret.png").write_bytes(PNG)
    return made


def jsonl(folder: Path, *rows: Any, **fields: Any) -> Dataset:
    path = folder / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return jsonl_dataset(FileSettings(path=path, **fields))


def only(dataset: Dataset) -> Sample:
    (sample,) = dataset.samples()
    return sample


def shown(image: Any) -> list[dict[str, Any]]:
    """Make the turns of a conversation about one image part; Any: JSON."""
    text = {"type": "text", "text": "What is it?"}
    return [{"role": "user", "content": [text, image]}, ANSWER]


def error_of(action: Callable[[], object]) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        action()
    return caught.value


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "image_url", "image_url": {"url": DATA}}, IMAGE),
        ({"type": "image_url", "image_url": {"url": DATA, "detail": "auto"}}, IMAGE),
        ({"type": "image_url", "image_url": {"url": "images/cat.png"}}, IMAGE),
        ({"type": "image_url", "image_url": {"url": "./images/../images/cat.png"}}, IMAGE),
        (
            {"type": "image_url", "image_url": {"url": ADDRESS}},
            ImagePart("image/jpeg", url=ADDRESS),
        ),
        ({"type": "image_url", "image_url": "images/cat.png"}, IMAGE),
        ({"type": "input_image", "image_url": DATA}, IMAGE),
        ({"type": "image", "image": "images/cat.png"}, IMAGE),
        ({"type": "image", "image": {"bytes": None, "path": "images/cat.png"}}, IMAGE),
        (
            {"type": "image_url", "image_url": {"url": "https://example.org/1"}},
            ImagePart("image/*", url="https://example.org/1"),
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PHN2Zy8+"}},
            ImagePart("image/svg+xml", b"<svg/>"),
        ),
    ],
)
def test_images_of_every_form_are_read(folder: Path, part: Any, expected: ImagePart) -> None:
    dataset = jsonl(folder, {"messages": shown(part)})

    sample = only(dataset)

    check_dataset(dataset)
    assert sample.input == (Message("user", (TextPart("What is it?"), expected)),)
    assert sample.references == ("A cat.",)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("../secret.png", f"is the file '../secret.png', {OUTSIDE}"),
        ("images/../../secret.png", f"is the file 'images/../../secret.png', {OUTSIDE}"),
        ("/etc/hostname", f"is the file '/etc/hostname', {OUTSIDE}"),
        (".", f"is the file '.', {OUTSIDE}"),
        ("images/dog.png", "is the file 'images/dog.png', which is not there"),
        ("notes.txt", "is the file 'notes.txt', which is no image (PNG, JPEG, GIF, WebP, BMP, "
         "TIFF, AVIF or HEIC)"),
        ("empty.png", "is the file 'empty.png' and is empty"),
        ("images", "is the file 'images', which cannot be read: Is a directory"),
        ("pipe", "is the file 'pipe', which is no file"),
        ("a\0b", "is the file 'a\0b', which cannot be read: embedded null byte"),
        ("file:///etc/passwd", "has the address 'file:///etc/passwd', which is not http, https or "
         "data"),
        ("s3://a/b.png", "has the address 's3://a/b.png', which is not http, https or data"),
        ("https://", "has an address that cannot be: 'https://'"),
        ("http://[/a", "has an address that cannot be: 'http://[/a'"),
        ("data:image/png,abc", "is a data: URI that begins with 'data:image/png', not with "
         "data:image/...;base64"),
        ("data:text/plain;base64,YQ==", "is a data: URI that begins with 'data:text/plain;base64', "
         "not with data:image/...;base64"),
        ("data:image/png;base64,A", "is a data: URI that is not base64: Invalid base64-encoded "
         "string: number of data characters (1) cannot be 1 more than a multiple of 4"),
        ("data:image/png;base64,", "is a data: URI and is empty"),
        (f"data:image/jpeg;base64,{base64.b64encode(PNG).decode()}",
         "is a data: URI of image/jpeg with image/png in it"),
        ("  ", "is an object with url, not an image"),
    ],
)  # fmt: skip
def test_what_is_no_image_is_named(folder: Path, url: str, what: str) -> None:
    os.mkfifo(folder / "pipe")
    part = {"type": "image_url", "image_url": {"url": url}}
    dataset = jsonl(
        folder, {"messages": shown({"type": "text", "text": "!"})}, {"messages": shown(part)}
    )

    error = error_of(lambda: list(dataset.samples()))

    assert error.what == f"messages has turn 1 (user), part 2, whose `image_url` {what}"
    assert error.where == f"{folder / 'a.jsonl'}:2"


@pytest.mark.parametrize(
    ("turns", "what"),
    [
        (
            [{"role": "system", "content": [{"type": "image_url", "image_url": DATA}]}, ASKS],
            "turn 1 (system), part 1, an image that is not of user or tool",
        ),
        (shown({"type": "image_url"}), "turn 1 (user), part 2 without `image_url`; it has type"),
        (
            shown({"type": "image_url", "image_url": {"url": DATA, "detail": "high"}}),
            "turn 1 (user), part 2 with a `detail`, which is not sent to the model",
        ),
        (
            shown({"type": "image", "image": ["a"]}),
            "turn 1 (user), part 2, whose `image` is a list of 1, not an image",
        ),
        (
            [ASKS, CALLS, ANSWER],
            "turn 2 (assistant) with a call, 'c1', that no turn of tool answers",
        ),
        (
            [ASKS, CALLS],
            "turn 2 (assistant) with a call, 'c1', that no turn of tool answers",
        ),
        (
            [ASKS, TOLD, ANSWER],
            "turn 2 (tool) with a `tool_call_id` that no call before it waits for",
        ),
        (
            [ASKS, CALLS, TOLD, TOLD, ANSWER],
            "turn 4 (tool) with a `tool_call_id` that no call before it waits for",
        ),
        (
            [ASKS, {**CALLS, "tool_calls": [CALL, CALL]}, TOLD, ANSWER],
            "turn 2 (assistant) with two calls of one id",
        ),
        (
            [{**ASKS, "tool_calls": [CALL]}, ANSWER],
            "turn 1 (user) with `tool_calls`, which only assistant makes",
        ),
        (
            [ASKS, {**CALLS, "tool_calls": "now"}, TOLD, ANSWER],
            "turn 2 (assistant) with `tool_calls` that are a text, not a list",
        ),
        (
            [ASKS, {**CALLS, "tool_calls": [7]}, TOLD, ANSWER],
            "turn 2 (assistant), call 1, which is the number 7, not an object",
        ),
        (
            [ASKS, {**CALLS, "tool_calls": [{**CALL, "type": "custom"}]}, TOLD, ANSWER],
            "turn 2 (assistant), call 1, which is of type 'custom', not function",
        ),
        (
            [ASKS, {**CALLS, "tool_calls": [{**CALL, "function": None}]}, TOLD, ANSWER],
            "turn 2 (assistant), call 1 with a `function` that is null, not an object",
        ),
        (
            [ASKS, {**CALLS, "tool_calls": [{**CALL, "id": None}]}, TOLD, ANSWER],
            "turn 2 (assistant), call 1 without `id`; it has id, type, function",
        ),
        (
            [ASKS, {**CALLS, "tool_calls": [{**CALL, "function": {"name": " "}}]}, TOLD, ANSWER],
            "turn 2 (assistant), call 1 with an empty `name`",
        ),
        (
            [
                ASKS,
                {**CALLS, "tool_calls": [{**CALL, "function": {"name": "w", "arguments": [1]}}]},
                TOLD,
                ANSWER,
            ],
            "turn 2 (assistant), call 1 with `arguments` that are a list of 1, not a text or an "
            "object",
        ),
        (
            [ASKS, {**CALLS, "tool_calls": None, "function_call": {"name": "w"}}, TOLD],
            "turn 2 (assistant) with `function_call`, the old form of a call",
        ),
    ],
)
def test_turns_that_cannot_be_sent_are_named(folder: Path, turns: Any, what: str) -> None:
    dataset = jsonl(folder, {"messages": turns, "answer": "x"})

    error = error_of(lambda: list(dataset.samples()))

    assert error.what.removeprefix("messages has ").removeprefix("messages ") == what
    assert error.where == f"{folder / 'a.jsonl'}:1"
    assert error.hint


def test_calls_of_tools_are_sent_as_they_stand(folder: Path) -> None:
    other = {**CALL, "id": "c2", "function": {"name": "weather", "arguments": {"city": "京都"}}}
    turns = [
        ASKS,
        {**CALLS, "content": "Let me see.", "tool_calls": [CALL, other]},
        {**TOLD, "tool_call_id": "c2", "content": ""},
        {**TOLD, "content": [{"type": "text", "text": "sunny"}]},
        ANSWER,
    ]

    sample = only(jsonl(folder, {"messages": turns}))

    assert sample.input == (
        Message("user", "And the weather?"),
        Message(
            "assistant",
            "Let me see.",
            (
                ToolCall("c1", "weather", '{"city": "Tokyo"}'),
                ToolCall("c2", "weather", '{"city": "京都"}'),
            ),
        ),
        Message("tool", "", tool_call_id="c2"),
        Message("tool", "sunny", tool_call_id="c1"),
    )
    assert sample.references == ("A cat.",)


def test_requests_have_images_and_calls_also_in_examples(folder: Path) -> None:
    cat = {"type": "image_url", "image_url": "images/cat.png"}
    rows = [
        {"messages": [*shown(cat)[:1], CALLS, {**TOLD, "content": f"{n}"}, ANSWER]} for n in "ab"
    ]
    dataset = jsonl(folder, *rows)
    plan = plan_of(datasets={"chat": dataset}, tasks=[{"dataset": "chat", "shots": 1}])
    prompter = Prompter(plan.evaluations[0].model, plan.evaluations[0].tasks[0])
    prompter.load_pool()

    request = prompter.request(next(iter(dataset.samples())))

    roles = [message.role for message in request.messages]
    assert roles == ["user", "assistant", "tool", "assistant", "user", "assistant", "tool"]
    assert [message.images for message in request.messages if message.images] == [(IMAGE,)] * 2
    assert request.messages[2] == Message("tool", "b", tool_call_id="c1")


def test_a_column_of_images_stands_before_the_question(folder: Path) -> None:
    rows = [
        {"q": "What?", "a": "cat", "image": "images/cat.png", "more": [DATA, ADDRESS]},
        {"q": "And now?", "a": "dog", "image": None, "more": []},
    ]
    dataset = jsonl(folder, *rows, input="q", references="a", images=["image", "more"])

    with_images, without = dataset.samples()

    address = ImagePart("image/jpeg", url=ADDRESS)
    assert with_images.input == (Message("user", (IMAGE, IMAGE, address, TextPart("What?"))),)
    assert without.input == "And now?"
    check_dataset(dataset)


def test_images_stand_before_lettered_choices(folder: Path) -> None:
    row = {"question": "What?", "options": ["cat", "dog"], "answer": "cat", "id": "cat"}
    dataset = jsonl(folder, row, choices="options", images="images/{{ id }}.png")
    plan = plan_of(datasets={"seen": dataset})
    prompter = Prompter(plan.evaluations[0].model, plan.evaluations[0].tasks[0])

    request = prompter.request(only(dataset))

    assert request.messages == (
        Message("user", (IMAGE, TextPart("What?\nA. cat\nB. dog\nAnswer:"))),
    )


def test_lettered_choices_follow_a_conversation_with_an_image(folder: Path) -> None:
    turns = shown({"type": "image", "image": "images/cat.png"})[:1]
    rows = [{"messages": turns, "options": ["cat", "dog"], "answer": "B"}]

    sample = only(jsonl(folder, *rows, choices="options"))

    assert (sample.answer, sample.references) == (1, ("dog",))


def test_images_stand_in_csv_as_paths_or_as_a_list_in_json(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_text(
        "question,answer,image\nOne?,1,images/cat.png\nNone?,0,\n"
        'Two?,2,"[""images/cat.png"", ""images/cat.png""]"\n',
        encoding="utf-8",
    )

    samples = list(csv_dataset(CsvSettings(path=path, images="image")).samples())

    found = [() if isinstance(one.input, str) else one.input[0].images for one in samples]
    assert found == [(IMAGE,), (), (IMAGE, IMAGE)]


def test_images_stand_in_parquet_as_bytes(folder: Path) -> None:
    """As the `datasets` library writes them: the bytes, and the name that they had elsewhere."""
    path = folder / "a.parquet"
    rows: list[dict[str, Any]] = [
        {
            "question": "What?",
            "answer": "cat",
            "image": image,
            "more": None if image is None else [],
        }
        for image in (
            {"bytes": JPEG, "path": "/x/cat.jpg"},
            {"bytes": JPEG, "path": None},
            {"bytes": None, "path": "images/cat.png"},
            {"bytes": None, "path": None},
            None,
        )
    ]
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)

    samples = list(parquet_dataset(TableSettings(path=path, images=["image", "more"])).samples())

    seen = ImagePart("image/jpeg", JPEG)
    found = [() if isinstance(one.input, str) else one.input[0].images for one in samples]
    assert found == [(seen,), (seen,), (IMAGE,), (), ()]


def test_a_column_without_an_image_is_named(folder: Path) -> None:
    rows = [{"question": "What?", "answer": "cat", "picture": "images/dog.png"}]

    error = error_of(lambda: only(jsonl(folder, *rows, images="picture")))
    missing = error_of(lambda: only(jsonl(folder, *rows, images="image")))

    assert str(error) == (
        "images (column 'picture') is the file 'images/dog.png', which is not there\n"
        f"  where: {folder / 'a.jsonl'}:1\n"
        f"  try:   {IMAGE_HINT}"
    )
    assert missing.what.startswith("no field 'image' for images; the row has question, answer")


def test_images_beside_conversations_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="`messages` and `images` are both set"):
        jsonl(folder, {"messages": [ASKS]}, messages="messages", images="image")


def test_another_image_in_the_same_file_is_another_data_set(folder: Path) -> None:
    row = {"messages": shown({"type": "image", "image": "images/cat.png"})}
    column = {"question": "What?", "answer": "cat", "image": "images/cat.png"}
    before = jsonl(folder, row).fingerprint(), jsonl(folder, column, images="image").fingerprint()

    (folder / "images" / "cat.png").write_bytes(PNG + b"more")

    assert jsonl(folder, row).fingerprint() != before[0]
    assert jsonl(folder, column, images="image").fingerprint() != before[1]


def test_an_image_that_is_too_large_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmeval_datasets.rows.images.MOST_BYTES", 10)
    row = {"messages": shown({"type": "image", "image": "images/cat.png"})}

    error = error_of(lambda: only(jsonl(folder, row)))

    assert error.what.endswith("is the file 'images/cat.png' of more than 10 bytes")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
URL = st.sampled_from([DATA, ADDRESS, "images/cat.png", "../secret.png", "data:image/png;base64,"])
URL = URL | st.text(max_size=8)
PART = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "image", "input_image"]) | JSON},
    optional={
        "text": st.text(max_size=5) | JSON,
        "image_url": URL | st.fixed_dictionaries({"url": URL}, optional={"detail": JSON}) | JSON,
        "image": URL | st.fixed_dictionaries({}, optional={"path": URL, "bytes": JSON}) | JSON,
    },
)
ID = st.sampled_from(["c1", "c2"]) | JSON
CALL_OF = st.fixed_dictionaries(
    {},
    optional={
        "id": ID,
        "type": st.just("function") | JSON,
        "function": st.fixed_dictionaries({}, optional={"name": st.text(max_size=3) | JSON,
                                                       "arguments": JSON}) | JSON,
    },
)  # fmt: skip
TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool"])},
    optional={
        "content": st.text(max_size=5) | st.lists(PART | JSON, max_size=3) | JSON,
        "tool_calls": st.lists(CALL_OF, max_size=2) | JSON,
        "tool_call_id": ID,
    },
)
VALID = st.sampled_from([ASKS, CALLS, TOLD, ANSWER, *shown({"type": "image", "image": DATA})])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(VALID | TURN, max_size=5), JSON | URL)
def test_whatever_stands_in_a_row_is_a_sample_or_an_error(
    folder: Path, turns: list[Any], image: Any
) -> None:
    row = {"messages": turns, "question": "What?", "answer": "x", "image": image}
    for fields in ({"messages": "messages"}, {"images": "image"}):
        dataset = jsonl(folder, row, **fields)
        try:
            sample = only(dataset)
        except DatasetError:
            continue
        check_dataset(dataset)
        if isinstance(sample.input, str):
            continue
        assert sample.input[-1].role in ("user", "tool")
        asked = {call.id for turn in sample.input for call in turn.tool_calls}
        assert asked == {turn.tool_call_id for turn in sample.input if turn.role == "tool"}
        assert all(one.url or one.data for turn in sample.input for one in turn.images)
