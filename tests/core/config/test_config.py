"""Reading settings: errors name file, line and key; secrets come in and never go out."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmeval_core.config import Origin, Redactor, expand_env, load_run_file
from llmeval_core.errors import ConfigError


def error_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "eval.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_run_file(path)
    return str(caught.value).replace(str(path), "eval.yaml")


GOOD = "models: [echo/x]\ntasks:\n  - dataset: jsonl:a.jsonl\n"


def test_a_whole_run_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "eval.yaml"
    path.write_text(
        "\ufeffmodels:\n  - {name: mine/x, provider: echo, answer: '4'}\n"
        "tasks:\n  - {dataset: {use: jsonl, path: a.jsonl}, shots: [0, 4]}\n"
        "trackers: [{use: mlflow, name: team, required: false, timeout_s: 3}]\n",
        encoding="utf-8",
    )

    config, origin = load_run_file(path)

    assert config.models[0].settings == {"answer": "4"}
    assert config.tasks[0].shots == (0, 4)
    assert config.trackers[0].settings == {"timeout_s": 3}
    assert origin.where("tasks", 0, "shots") == f"{path}:4, tasks[0].shots"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            GOOD.replace("tasks", "taskz"),
            "unknown key 'taskz' (and 1 more)\n  where: eval.yaml:2, taskz\n"
            "  try:   did you mean 'tasks'?",
        ),
        (
            GOOD + "    promt: {}\n",
            "unknown key 'promt'\n  where: eval.yaml:4, tasks[0].promt\n"
            "  try:   did you mean 'prompt'?",
        ),
        (
            GOOD + "    shots: many\n",
            "wrong value: input should be a list\n  where: eval.yaml:4, tasks[0].shots\n"
            "  try:   for example `shots: [0, 4]`",
        ),
        (
            GOOD + "limit: 0\n",
            "wrong value: input should be greater than or equal to 1\n  where: eval.yaml:4, limit",
        ),
        (
            "models: [echo/x, echo/x]\ntasks: [{dataset: a}]",
            "wrong value: model 'echo/x' is listed twice\n  where: eval.yaml:1, models",
        ),
        (
            "models: [echo/x]",
            "missing key 'tasks'\n  where: eval.yaml:1, tasks\n"
            "  try:   add 'tasks', for example `tasks: [{dataset: commonsense_qa}]`",
        ),
        (
            "models: echo/x\ntasks: [{dataset: a}]",
            "wrong value: input should be a list\n  where: eval.yaml:1, models\n"
            "  try:   write `models: [echo/x]`",
        ),
        (
            "models: [echo/x]\ntasks: [a]",
            "wrong value: input should be a mapping\n  where: eval.yaml:2, tasks[0]\n"
            "  try:   for example `tasks: [{dataset: commonsense_qa}]`",
        ),
        (
            "models: [gpt-4o-mini]\ntasks: [{dataset: a}]",
            "wrong value: 'gpt-4o-mini' is not of the form provider/model\n"
            "  where: eval.yaml:1, models[0].name\n"
            "  try:   did you mean 'openai/gpt-4o-mini'?",
        ),
        (
            GOOD + "trackers: https://me:secret@host\n",
            "wrong value: input should be a list\n  where: eval.yaml:4, trackers\n"
            "  try:   for example `trackers: [mlflow]`",
        ),
        (
            GOOD + "prices: {echo/x: 3}\n",
            "wrong value: input should be a mapping\n  where: eval.yaml:4, prices.echo/x\n"
            "  try:   for example `prices: {openai/gpt-4o*: {input: 2.5, output: 10}}`",
        ),
        (
            "models: [",
            "the run file is not YAML: expected the node content, but found '<stream end>'\n"
            "  where: eval.yaml:1",
        ),
        (
            GOOD + "    extract: (a\n",
            "wrong value: extract is not a regular expression: missing ), unterminated subpattern "
            "at position 0\n  where: eval.yaml:4, tasks[0].extract",
        ),
        (
            GOOD + "    extract: [x, {patern: a}]\n",
            "unknown key 'patern'\n  where: eval.yaml:4, tasks[0].extract[1].patern\n"
            "  try:   did you mean 'pattern'?",
        ),
        (
            GOOD + "    extract:\n      pattern: a\n      match: 0\n",
            "wrong value: match is first, last, or a number: 1 is the first, -1 the last\n"
            "  where: eval.yaml:6, tasks[0].extract.match",
        ),
        (
            GOOD + "    extract: 5\n",
            "wrong value: extract is a pattern, a rule such as {boxed: true}, or a list of them\n"
            "  where: eval.yaml:4, tasks[0].extract",
        ),
        (
            "just text",
            "a run file is a mapping with 'models' and 'tasks'\n  where: eval.yaml\n"
            "  try:   see docs/run-file.md for an example",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    assert error_of(tmp_path, text) == message


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("limit: yes", "limit"),
        ("concurrency: on", "concurrency"),
        ("seed: no", "seed"),
        ("generation: {max_tokens: true}", "generation.max_tokens"),
        ("generation: {temperature: off}", "generation.temperature"),
        ("budget: {tokens: yes}", "budget.tokens"),
        ("timeouts: {run_s: yes}", "timeouts.run_s"),
        ("max_samples_failed: yes", "max_samples_failed"),
        ("    shots: yes", "tasks[0].shots"),
        ("    shots: [0, yes]", "tasks[0].shots"),
        ("    limit: on", "tasks[0].limit"),
    ],
)
def test_a_truth_value_is_no_number(tmp_path: Path, line: str, key: str) -> None:
    message = error_of(tmp_path, f"{GOOD}{line}\n")

    word = "false" if line.endswith((" no", " off}")) else "true"
    assert message == (
        f"wrong value: {word} is no number\n  where: eval.yaml:4, {key}\n"
        "  try:   YAML takes a bare yes, no, on and off for true and false: write a number"
    )


def test_a_truth_value_stays_one_where_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "eval.yaml"
    path.write_text(f"{GOOD}fail_fast: yes\nreplace: no\n", encoding="utf-8")

    config, _ = load_run_file(path)

    assert (config.fail_fast, config.replace) == (True, False)


def test_variables_are_put_in_at_every_depth_and_redacted_later() -> None:
    redactor = Redactor()
    settings = {"key": "${KEY}", "headers": [{"X": "Bearer ${KEY}"}], "n": 3}

    expanded = expand_env(settings, environ={"KEY": "s3cret!"}, redactor=redactor, origin=Origin())

    assert expanded == {"key": "s3cret!", "headers": [{"X": "Bearer s3cret!"}], "n": 3}
    assert redactor("refused: s3cret! is wrong") == "refused: *** is wrong"


def test_a_variable_that_is_not_set_is_named_without_any_value() -> None:
    environ = {"OTHER": "s3cret!"}

    with pytest.raises(ConfigError) as caught:
        expand_env({"key": "${KEY}"}, environ=environ, redactor=Redactor(), origin=Origin())

    assert "environment variable KEY is not set" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            GOOD + "limit: 3\nmodels: [echo/y]\n",
            "the key 'models' comes twice\n  where: eval.yaml:5\n"
            "  try:   it stands on line 1 already",
        ),
        (
            GOOD + "    shots: 0\n    shots: 4\n",
            "the key 'shots' comes twice\n  where: eval.yaml:5\n"
            "  try:   it stands on line 4 already",
        ),
        (
            GOOD + "metrics: &all [*all]\n",
            "a value of the run file contains itself\n  where: eval.yaml:4",
        ),
        (
            GOOD + "metrics: " + "[" * 60 + "]" * 60 + "\n",
            "the run file is nested too deeply\n  where: eval.yaml:4",
        ),
        (
            "".join(
                f"{'abcdefgh'[n]}: &{n} [{f'*{n - 1},' * 9 if n else 'x,' * 9}]\n" for n in range(8)
            ),
            "the run file has more than 100,000 values\n  where: eval.yaml:6",
        ),
        (
            GOOD + "seed: 2025-13-32\n",
            "the run file has a wrong value: month must be in 1..12\n  where: eval.yaml",
        ),
        (
            GOOD + "    shots: yes\n",
            "wrong value: true is no number\n  where: eval.yaml:4, tasks[0].shots\n"
            "  try:   YAML takes a bare yes, no, on and off for true and false: write a number",
        ),
        (
            GOOD + "    variant: no\n",
            "wrong value: false is no text\n  where: eval.yaml:4, tasks[0].variant\n  try:  "
            " YAML takes a bare no, yes, off and on for false and true: write it in quotes",
        ),
        (
            GOOD + "    variant: a b\n",
            "wrong value: 'a b' has a space, a slash, a colon or a dot in it\n"
            "  where: eval.yaml:4, tasks[0].variant\n  try:   write a_b",
        ),
        (
            GOOD + "    metrics: [{use: exact, name: my own}]\n",
            "wrong value: 'my own' has a space, a slash or a colon in it\n"
            "  where: eval.yaml:4, tasks[0].metrics[0].name\n  try:   write my_own",
        ),
        (
            GOOD + "    variant: 5\n",
            "wrong value: a number or a date is no text\n  where: eval.yaml:4, tasks[0].variant\n"
            "  try:   a text that looks like a number or a date is put in quotes; on a command "
            "line: 'KEY=\"1\"'",
        ),
        (
            GOOD + "generation: {stop: 5}\n",
            "wrong value: input should be a list\n  where: eval.yaml:4, generation.stop\n"
            '  try:   for example `stop: ["\\n"]`',
        ),
        (
            GOOD + "reasoning_tags: [['', x]]\n",
            "wrong value: a tag is not empty\n  where: eval.yaml:4, reasoning_tags[0][0]\n"
            "  try:   write it as the model does: '<think>'",
        ),
        (
            "",
            "missing key 'models' (and 1 more)\n  where: eval.yaml, models\n"
            "  try:   add 'models', for example `models: [openai/gpt-4o-mini]`",
        ),
        (
            GOOD + "1: x\n",
            "wrong value: keys should be strings\n  where: eval.yaml:1, [1]",
        ),
        (
            "models: [!!python/name:os.system '']",
            "the run file is not YAML: could not determine a constructor for the tag"
            " 'tag:yaml.org,2002:python/name:os.system'\n  where: eval.yaml:1",
        ),
    ],
)
def test_what_yaml_allows_and_a_run_file_does_not_is_told(
    tmp_path: Path, text: str, message: str
) -> None:
    assert error_of(tmp_path, text) == message


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"models: \x07\n", "the run file is not YAML: unacceptable character #x0007"),
        (b"models: \xff\n", "cannot read the run file: 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_a_file_that_is_no_text_is_told(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "eval.yaml").write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load_run_file(tmp_path / "eval.yaml")

    assert caught.value.what.startswith(what)
    assert caught.value.where == str(tmp_path / "eval.yaml")


def test_an_anchor_may_be_used_again(tmp_path: Path) -> None:
    path = tmp_path / "eval.yaml"
    path.write_text(
        "models: [echo/x]\ntasks:\n  - &one {dataset: a, shots: 4}\n  - {<<: *one, dataset: b}\n",
        encoding="utf-8",
    )

    config, _ = load_run_file(path)

    assert [(task.dataset and task.dataset.use, task.shots) for task in config.tasks] == [
        ("a", (4,)),
        ("b", (4,)),
    ]


def test_a_place_is_named_by_the_nearest_thing_that_is_known() -> None:
    file = Origin(Path("eval.yaml"), {("tasks",): 3, ("tasks", 0): 4}, {("limit",): "--limit 0"})

    assert file.where("tasks", 0, "metrics", 1) == "eval.yaml:4, tasks[0].metrics[1]"
    assert file.where("limit") == "--limit 0"
    assert file.where("models", 0) == "eval.yaml, models[0]"
    assert file.where() == "eval.yaml"
    assert Origin().where("tasks", 0) == "tasks[0]"
    assert Origin().where() == "the settings"


def test_no_part_of_a_secret_stays_if_another_secret_is_part_of_it() -> None:
    for values in (("abcdef", "abcdef-ghi"), ("abcdef-ghi", "abcdef")):
        redactor = Redactor()
        for value in values:
            redactor.add(value)

        assert redactor("abcdef-ghi abcdef") == "*** ***"


def test_a_very_short_value_is_no_secret() -> None:
    redactor = Redactor()
    redactor.add("8000")
    redactor.add("")

    assert redactor("port 8000") == "port 8000"
