"""llm-jp-eval's files, as they are: prompts to the letter, examples, extraction, metrics.

Case p5-llm-jp-eval-v2.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from llmeval_datasets.files.llm_jp_eval import (
    LlmJpEvalDataset,
    LlmJpEvalSettings,
    llm_jp_eval_dataset,
)

from llmeval_core.extraction import Extractor
from llmeval_core.hooks import Dataset, DatasetError
from llmeval_core.plan import Plan
from llmeval_core.prompting import Prompter
from llmeval_core.testing import FakeMetric, check_dataset
from llmeval_core.testing.running import plan_of

GOLDEN = Path(__file__).parent / "data" / "llm_jp_eval_2_answers.jsonl"
OWN = (r"答え：(\w+)", r"(\w+)。(\w+)", "<answer>(.+?)</answer>", "(a*)(b*)")
V1 = {
    "instruction": "質問に答えなさい。",
    "output_length": 15,
    "metrics": ["char_f1", "exact_match"],
    "few_shots": [{"input": "使わない", "output": "x"}],
    "samples": [{"input": "首都は？", "output": "東京"}, {"input": "空の色は？", "output": "青"}],
}
TRAIN = {**V1, "samples": [{"input": f"問{n}", "output": f"答{n}"} for n in range(5)]}
V2 = {**V1, "answer_pattern_id": "answer_tags_jp", "language": "ja", "num_few_shots": 2}


def write(folder: Path, content: dict[str, Any], train: dict[str, Any] | None = None) -> Dataset:
    for split, part in (("test", content), ("train", train)):
        if part is not None:
            path = folder / "evaluation" / split / "quiz.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(part, ensure_ascii=False), encoding="utf-8")
    return llm_jp_eval_dataset(LlmJpEvalSettings(path=folder / "evaluation/test/quiz.json"))


def answer_in(text: str, folder: Path, **content: Any) -> str:
    dataset = write(folder, {**V1, "label_list": [], **content})
    assert dataset.defaults.extract is not None
    return Extractor(dataset.defaults.extract, where="")(text)


def planned(dataset: Dataset, **task: Any) -> Plan:
    metrics = {name: FakeMetric() for name in ("char_f1", "exact_match")}
    tasks = [{"dataset": "quiz", **task}]
    return plan_of(datasets={"quiz": dataset}, metrics=metrics, tasks=tasks)


def asked(dataset: Dataset, **task: Any) -> str:
    plan = planned(dataset, **task)
    evaluation = plan.evaluations[0]
    prompter = Prompter(evaluation.model, evaluation.tasks[0])
    prompter.load_pool()
    request = prompter.request(next(iter(dataset.samples())))
    return request.prompt or request.messages[-1].text


def test_version_1_without_examples_is_asked_to_the_letter(tmp_path: Path) -> None:
    dataset = write(tmp_path, V1)

    check_dataset(dataset)
    assert dataset.name == "quiz"
    assert asked(dataset, shots=0) == (
        "以下は、タスクを説明する指示と、文脈のある入力の組み合わせです。"
        "要求を適切に満たす応答を書きなさい。\n\n### 指示:\n質問に答えなさい。\n\n"
        "### 入力:\n首都は？\n\n### 応答:\n"
    )


def test_version_1_shows_the_first_samples_of_the_train_file(tmp_path: Path) -> None:
    dataset = write(tmp_path, V1, TRAIN)

    assert asked(dataset, shots=2).endswith(
        "### 指示:\n質問に答えなさい。\n\n### 入力:\n問0\n\n### 応答:\n答0\n\n"
        "### 入力:\n問1\n\n### 応答:\n答1\n\n### 入力:\n首都は？\n\n### 応答:\n"
    )


def test_version_1_brings_length_metrics_and_extraction(tmp_path: Path) -> None:
    defaults = write(tmp_path, V1).defaults

    assert defaults.generation.max_tokens == 15
    assert [(m.use, m.settings) for m in defaults.metrics] == [
        ("char_f1", {"definition": "llm-jp-1"}),
        ("exact_match", {"normalize": "nfkc"}),
    ]
    assert defaults.extract == r"(?s)^(.*?)(?=\n\n|\Z)"


def test_version_2_shows_examples_in_tags(tmp_path: Path) -> None:
    dataset = write(tmp_path, V2, TRAIN)

    assert asked(dataset, shots=1) == (
        "### 指示\n質問に答えなさい。\n\n"
        "### 回答形式\n<answer></answer>タグで囲んで回答してください\n\n"
        "<examples>\n<example_1>\n### 入力:\n問0\n### 応答:\n答0\n"
        "</example_1>\n</examples>\n### 入力:\n首都は？\n### 応答:"
    )


def test_version_2_in_english_without_examples(tmp_path: Path) -> None:
    dataset = write(tmp_path, {**V2, "language": "en", "answer_pattern": "One word."})

    assert asked(dataset, shots=0) == (
        "### Instruction\n質問に答えなさい。\n\n### Answer Format\nOne word.\n"
        "### Input:\n首都は？\n### Response:"
    )


def test_version_2_may_bring_its_own_template(tmp_path: Path) -> None:
    template = (
        "{{ dataset_instruction }}|{% for s in few_shots %}{{ s.output }}{% endfor %}|{{ input }}"
    )
    dataset = write(tmp_path, {**V2, "custom_prompt_template": template}, TRAIN)

    assert asked(dataset, shots=2) == "質問に答えなさい。|答0答1|首都は？"


def test_braces_in_an_instruction_stay_as_they_are(tmp_path: Path) -> None:
    dataset = write(tmp_path, {**V1, "instruction": 'Answer as {"a": {{1}}}'})

    assert '### 指示:\nAnswer as {"a": {{1}}}\n\n' in asked(dataset, shots=0)


@pytest.mark.parametrize(
    "golden",
    [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()],
    ids=lambda golden: repr(golden["text"]),
)
def test_p5_llm_jp_eval_v2_answers_are_found_as_its_own_parser_finds_them(
    tmp_path: Path, golden: dict[str, Any]
) -> None:
    """The data file was made by the reference: what it found for each form, if anything."""
    forms = ("answer_tags", "choice_only", "json_output", "code_output")
    names = ["custom", *(f"{form}_{language}" for form in forms for language in ("jp", "en"))]
    for number, name in enumerate(names):
        found = answer_in(golden["text"], tmp_path / str(number), answer_pattern_id=name)
        assert found == golden["found"].get(name, ""), name
    for number, pattern in enumerate(OWN):
        content = {"answer_pattern_id": "custom", "answer_extract_pattern": pattern}
        found = answer_in(golden["text"], tmp_path / f"own{number}", **content)
        assert found == golden["own"].get(pattern, ""), pattern


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("answer_tags_jp", "<answer></answer>タグで囲んで回答してください"),
        ("answer_tags_en", "Please answer within <answer></answer> tags"),
        ("choice_only_jp", "選択肢の番号または文字のみで回答してください"),
        ("json_output_en", "Please answer in JSON format: ```json\n```"),
        ("code_output_jp", "```\n```のコードブロック形式で回答してください"),
        ("answer_tags", "<answer></answer>タグで囲んで回答してください"),
    ],
)
def test_p5_llm_jp_eval_v2_says_which_form_is_asked_for(
    tmp_path: Path, name: str, said: str
) -> None:
    dataset = write(tmp_path, {**V2, "answer_pattern_id": name})

    assert f"\n\n### 回答形式\n{said}\n### 入力:" in asked(dataset, shots=0)


def test_p5_llm_jp_eval_v2_groups_that_are_left_out_count_as_empty(tmp_path: Path) -> None:
    pattern = r"答え：(\w+)|<answer>(\w+)</answer>"
    content = {"answer_pattern_id": "custom", "answer_extract_pattern": pattern}

    assert answer_in("答え：A", tmp_path / "1", **content) == "A"
    assert answer_in("<answer>A</answer>", tmp_path / "2", **content) == "A"


def test_p5_llm_jp_eval_v2_shows_as_many_examples_as_the_file_says(tmp_path: Path) -> None:
    dataset = write(tmp_path, V2, TRAIN)

    left_out, none = planned(dataset), planned(dataset, shots=0)
    assert left_out.evaluations[0].tasks[0].key == "quiz_2shot"
    assert none.evaluations[0].tasks[0].key == "quiz_0shot"
    assert "問1\n### 応答:\n答1\n</example_2>\n</examples>" in asked(dataset)
    assert "<examples>" not in asked(dataset, shots=0)
    assert isinstance(dataset, LlmJpEvalDataset)
    assert dataset.notes() == (
        "answers are found as answer_tags_jp; the prompt asks for them so: "
        "'<answer></answer>タグで囲んで回答してください'",
        "2 examples are shown where `shots` is not set (`num_few_shots`)",
    )


def test_examples_from_the_evaluated_file_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = write(tmp_path, {**V2, "num_few_shots": 1, "label_list": ["A", "B"]})

    assert "空の色は？\n### 応答:\n青" in asked(dataset)
    assert caplog.messages[0] == (
        "quiz: examples are taken from the evaluated file itself, as there is no "
        f"{tmp_path / 'evaluation/train/quiz.json'}"
    )


def test_a_pattern_that_the_reference_passes_over_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = write(tmp_path, {**V2, "answer_extract_pattern": "答え：(.)"})

    assert Extractor(dataset.defaults.extract or "", where="")("答え：A") == ""
    assert caplog.messages == [
        f"{tmp_path / 'evaluation/test/quiz.json'}: `answer_extract_pattern` of the file is not "
        "used, as its answer_pattern_id is answer_tags_jp"
    ]


def test_boxed_answers_are_asked_for_in_words_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = {**V2, "answer_pattern_id": "latex_boxed_jp"}
    dataset = write(tmp_path, content)

    extract = Extractor(dataset.defaults.extract or "", where="")
    assert extract(r"つまり$\boxed{\frac{1}{2}}$") == r"\frac{1}{2}"
    assert extract("42") == ""
    assert "### 回答形式\n最終的な答えを$\\boxed{}$に" in asked(dataset, shots=0)
    assert "in words that may differ" in caplog.text


def test_the_settings_name_words_and_pattern_of_forms_that_are_not_known(tmp_path: Path) -> None:
    content = {**V2, "answer_pattern_id": "xml_jp"}
    path = tmp_path / "quiz.json"
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(DatasetError) as caught:
        llm_jp_eval_dataset(LlmJpEvalSettings(path=path))
    dataset = llm_jp_eval_dataset(
        LlmJpEvalSettings(path=path, answer_pattern="As <a>", answer_extract_pattern="<a>(.*)</a>")
    )

    assert str(caught.value) == (
        "the answer_pattern_id 'xml_jp' is not known\n"
        f"  where: {path}\n"
        "  try:   known: custom, answer_tags_jp, answer_tags_en, choice_only_jp, choice_only_en, "
        "json_output_jp, json_output_en, code_output_jp, code_output_en, latex_boxed_jp, "
        "latex_boxed_en; for others, set what the prompt says and what finds the answer: "
        "`answer_pattern:`, `answer_extract_pattern:`"
    )
    assert "### 回答形式\nAs <a>\n" in asked(dataset, shots=0)
    assert Extractor(dataset.defaults.extract or "", where="")("<a>1\n2</a>") == "1\n2"


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ({"num_few_shots": -1}, "`num_few_shots` is -1, not a whole number from 0"),
        ({"num_few_shots": True}, "`num_few_shots` is True, not a whole number from 0"),
        ({"output_length": "20"}, "`output_length` is '20', not a whole number from 1"),
        ({"metrics": "exact_match"}, "`metrics` is 'exact_match', not a list of names"),
        ({"answer_pattern_id": 3}, "`answer_pattern_id` is 3, not a text"),
        ({"custom_prompt_template": ["a"]}, "`custom_prompt_template` is ['a'], not a text"),
        (
            {"answer_pattern_id": "custom", "answer_extract_pattern": "("},
            "`answer_extract_pattern` is not a regular expression: "
            "missing ), unterminated subpattern at position 0",
        ),
        (
            {"answer_pattern_id": "custom", "answer_extract_pattern": "[AB]"},
            "`answer_extract_pattern` has no group, so that llm-jp-eval would find every answer "
            "empty",
        ),
    ],
)
def test_a_key_of_the_wrong_kind_is_named(tmp_path: Path, part: dict[str, Any], what: str) -> None:
    with pytest.raises(DatasetError) as caught:
        write(tmp_path, {**V2, **part})

    assert caught.value.what == what
    assert caught.value.where == str(tmp_path / "evaluation/test/quiz.json")


def test_a_file_whose_metrics_are_all_unknown_is_not_scored_by_another(tmp_path: Path) -> None:
    dataset = write(tmp_path, {**V2, "metrics": ["comet_wmt22"]})

    assert dataset.defaults.metrics == ()


def test_braces_of_version_2_stay_as_they_are(tmp_path: Path) -> None:
    instruction = 'As {"a": {{1}}} or {% x %} "\\n"\n次'
    dataset = write(tmp_path, {**V2, "instruction": instruction})

    assert asked(dataset, shots=0).startswith(f"### 指示\n{instruction}\n\n### 回答形式")


def test_a_template_of_the_file_sees_its_labels(tmp_path: Path) -> None:
    template = "{{ answer_pattern }}|{{ label_list | join('/') }}|{{ language }}"
    content = {**V2, "label_list": ["A", "B"], "custom_prompt_template": template}

    assert asked(write(tmp_path, content), shots=0) == (
        "<answer></answer>タグで囲んで回答してください|A/B|ja"
    )


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        write(tmp_path, {"samples": []})

    assert str(caught.value) == (
        "not a file of llm-jp-eval: it needs `instruction` and `samples`\n"
        f"  where: {tmp_path / 'evaluation/test/quiz.json'}\n"
        "  try:   for one object a line, use `jsonl:` instead"
    )
