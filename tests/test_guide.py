"""The guide for plugin authors works as it is written: every example is loaded and used."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llmeval_core import hooks, support
from llmeval_core.hooks import (
    Check,
    Component,
    Dataset,
    Executor,
    Metric,
    ModelError,
    ModelProvider,
    Route,
    RouteContext,
    Settings,
    TrackerError,
)
from llmeval_core.testing import (
    FakeDataset,
    FakeModel,
    check_dataset,
    check_metric,
    check_model,
    check_plugin,
    check_task_source,
    make_generation,
    make_sample,
    run_in,
)
from tests.papers import ROOT, Block, blocks

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

PAPER = ROOT / "docs" / "plugins.md"
TASKS = ROOT / "docs" / "tasks.md"
EXAMPLES = [
    block
    for paper in (PAPER, TASKS)
    for block in blocks(paper, "python")
    if "@hookimpl" in block.text
]


def name_of(block: Block) -> str:
    """Name an example after its hook, and after its class if it has one."""
    hook = block.text.split("def llmeval_")[-1].split("(")[0]
    classes = [line.split()[1].strip(":") for line in block.text.splitlines() if "class " in line]
    return "_".join(["example", hook.removeprefix("register_"), *classes[:1]]).lower().split("(")[0]


def install(example: Block, plugin_folder: PluginFolder) -> None:
    """Install an example as a plugin of its own, which announces its command if it has one."""
    name = name_of(example)
    commands = {"hello": f"{name}:hello"} if "@click.command" in example.text else {}
    plugin_folder.install(name, example.text, commands=commands)


@pytest.fixture
def guide(plugin_folder: PluginFolder) -> PluginFolder:
    """Install every example of the guide, each as a plugin of its own."""
    for example in EXAMPLES:
        install(example, plugin_folder)
    return plugin_folder


def offered(example: str, kind: str) -> Any:
    """Give the one thing of a kind that an example offers; Any: what it is depends on the kind."""
    (offer,) = check_plugin(example).registered[kind]
    return offer


def made(example: str, kind: str, **settings: Any) -> Any:
    """Make the one component that an example offers; Any: its settings, and what it is."""
    component: Component[Settings, Any] = offered(example, kind)
    return component.factory(component.config(**settings))


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_each_example_keeps_the_promises_of_a_plugin(
    example: Block, plugin_folder: PluginFolder
) -> None:
    install(example, plugin_folder)

    plugin = check_plugin(name_of(example))

    assert plugin.registered or "llmeval_register" not in example.text


def test_each_hook_has_an_example() -> None:
    known = {name for name in vars(hooks) if name.startswith("llmeval_")}

    assert {name for name in known if any(f"def {name}(" in e.text for e in EXAMPLES)} == known


@pytest.mark.usefixtures("guide")
def test_the_data_set_keeps_its_promises() -> None:
    dataset: Dataset = made("example_datasets_capitals", "datasets")

    check_dataset(dataset)


@pytest.mark.usefixtures("guide")
async def test_the_model_keeps_its_promises() -> None:
    provider: ModelProvider = made("example_models_parrot", "models")

    answers = await check_model(provider, "any")

    assert {answer.text for answer in answers.values()} == {"What is the capital of France?"}


@pytest.mark.usefixtures("guide")
@pytest.mark.parametrize(
    ("example", "values"),
    [
        ("example_metrics_shouting", [1.0, 0.0]),
        ("example_metrics_length", [5.0, 22.0]),
        ("example_metrics_shortersettings", [1.0, 0.0]),
    ],
)
async def test_the_metrics_keep_their_promises(example: str, values: list[float]) -> None:
    metric: Metric = made(example, "metrics")
    cases = [(make_sample(), make_generation(text)) for text in ("HELLO", "a rather quiet hello !")]

    scores = await check_metric(metric, cases)

    assert [score.value for score in scores] == values


@pytest.mark.usefixtures("guide")
async def test_twenty_questions_are_played_as_told(tmp_path: Path) -> None:
    source = made("example_tasks_twentysettings", "tasks", turns=3)
    player = FakeModel(lambda asked: "<think>a bee?</think>Is it a cat?")

    await check_task_source(source)
    outcome = await run_in(
        tmp_path,
        models={"fake": player},
        role_models={"host": FakeModel(lambda asked: "no")},
        ready_tasks={"twenty": source},
    )

    found = {
        metric.key: metric.aggregate.value
        for result in outcome.summary.results
        for metric in result.metrics
        if metric.category is None
    }
    assert {key: found[key] for key in found if key.startswith("twenty_0shot")} == {
        "twenty_0shot_solved": 0.25,
        "twenty_0shot_turns": 2.5,
    }
    assert len(found) == 6
    assert {request.settings.max_tokens for request in player.requests} == {40}


@pytest.mark.usefixtures("guide")
def test_all_kinds_work_together_on_the_command_line(llmeval: Llmeval) -> None:
    finished = llmeval(
        "run", "-m", "parrot/any", "-d", "capitals", "--metric", "length", "--metric", "shorter:5",
        "--tracker", "postcard", "--executor", "one_by_one", "--json",
    )  # fmt: skip

    assert finished.exit_code == 0, finished.stderr
    fingerprint = json.loads(finished.stdout)["results"][0]["plan_fingerprint"]
    told = [line for line in finished.stderr.splitlines() if line.startswith(("be", "done", "ov"))]
    assert told == [
        f"begins: {fingerprint}",
        "done: parrot/any capitals_0shot",
        "over: 1 samples, 0 failed",
    ]
    (card,) = Path(".llmeval/postcards").iterdir()
    assert card.read_text(encoding="utf-8").splitlines() == [
        "parrot/any",
        "capitals_0shot_length = 18.0",
        "capitals_0shot_shorter = 0.0",
    ]


@pytest.mark.usefixtures("guide")
def test_a_tracker_that_cannot_write_its_card_says_so(llmeval: Llmeval) -> None:
    Path(".llmeval").mkdir()
    Path(".llmeval/postcards").write_text("in the way", encoding="utf-8")
    command = ("run", "-m", "parrot/any", "-d", "capitals", "--metric", "length", "--tracker",
               "postcard")  # fmt: skip

    finished = llmeval(*command)

    assert finished.exit_code == 1
    assert "cannot write '.llmeval/postcards/" in finished.stdout
    assert "`llmeval sync` delivers them" in finished.stdout


@pytest.mark.usefixtures("guide")
def test_a_setting_that_is_out_of_range_is_told_with_its_place(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(
        "models: [parrot/any]\n"
        "tasks:\n"
        "  - dataset: capitals\n"
        "    metrics: [{use: shorter, most: 0}]\n",
        encoding="utf-8",
    )

    finished = llmeval("plan", "eval.yaml")

    assert finished.exit_code == 2
    assert "where: eval.yaml:4, tasks[0].metrics[0].most\n" in finished.stderr


@pytest.mark.usefixtures("guide")
async def test_the_executor_hands_on_a_failed_request(tmp_path: Path) -> None:
    executor: Executor = made("example_executors_onebyone", "executors")

    def refuse_one(asked: str) -> str:
        if asked.endswith("1"):
            raise hooks.ModelError("bad_request", "not this one")
        return asked

    outcome = await run_in(
        tmp_path / "home",
        models={"fake": FakeModel(refuse_one)},
        executors={"one_by_one": executor},
        executor="one_by_one",
    )

    assert (outcome.summary.n_samples, outcome.summary.n_failed) == (3, 1)


@pytest.mark.usefixtures("guide")
def test_the_command_says_hello(llmeval: Llmeval) -> None:
    finished = llmeval("hello")

    assert (finished.exit_code, finished.stdout) == (0, "hello\n")


def a_site() -> RouteContext:
    return RouteContext(
        Path(), tracker_statuses=list, deliver=str, deliver_again=str, log_lines=lambda word: []
    )


@pytest.mark.usefixtures("guide")
def test_the_route_answers() -> None:
    route: Route = offered("example_routes", "routes")
    sent: list[dict[str, Any]] = []  # Any: ASGI messages

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    coroutine = route.app(a_site())({"type": "http"}, None, send)
    with pytest.raises(StopIteration):
        coroutine.send(None)

    assert route.prefix == "/hello"
    assert [message.get("status", message.get("body")) for message in sent] == [200, b"hello"]


@pytest.mark.usefixtures("guide")
def test_the_check_is_a_line_of_the_doctor(llmeval: Llmeval) -> None:
    check: Check = offered("example_checks", "checks")

    finished = llmeval("doctor", "--json")

    assert check.name in {line["name"] for line in json.loads(finished.stdout)}


def test_the_readme_shows_the_plugin_of_the_guide() -> None:
    assert blocks(PAPER, "python")[0].text in [b.text for b in blocks(ROOT / "README.md", "python")]


async def test_the_first_example_of_the_hooks_really_scores(tmp_path: Path) -> None:
    code = (hooks.__doc__ or "").split("`shouting.py`:\n")[1].split("The entry point")[0]
    names: dict[str, Any] = {}  # Any: what the example defines
    exec(inspect.cleandoc("\n" + code), names)
    (component,) = names["llmeval_register_metrics"]()

    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(4)},
        models={"fake": FakeModel(lambda asked: "NO" if asked.endswith("1") else "yes")},
        metrics={"shouting": component.factory(component.config())},
    )

    assert outcome.summary.results[0].metrics[0].aggregate.value == 0.25
    assert "shouting" not in sys.modules


def support_example(word: str) -> dict[str, Any]:
    """Run the example of `llmeval_core.support` that has this word, and return its names."""
    (example,) = (
        block
        for block in blocks(PAPER, "python")
        if "llmeval_core.support" in block.text and word in block.text
    )
    names: dict[str, Any] = {"__name__": word}  # Any: what the example defines
    exec(compile(example.text, str(PAPER), "exec"), names)
    return names


def test_all_of_support_is_told() -> None:
    told = PAPER.read_text(encoding="utf-8")
    reference = (ROOT / "docs" / "reference" / "support.md").read_text(encoding="utf-8")

    assert not [name for name in support.__all__ if f"`{name}" not in told]
    assert not [name for name in support.__all__ if f"support.{name}\n" not in reference]


async def test_the_child_of_the_guide_shouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (child,) = (block for block in blocks(PAPER, "python") if "ParentChannel()" in block.text)
    (tmp_path / "shouting_child.py").write_text(child.text, encoding="utf-8")
    library = tmp_path / "heavy_library.py"
    library.write_text("def shout(text):\n    print('noise')\n    return text.upper()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    shout = support_example("async def shout")["shout"]

    assert await shout("hello") == "HELLO"

    library.write_text("def shout(text):\n    raise ValueError('hoarse')\n")
    with pytest.raises(ModelError) as caught:
        await shout("hello")
    assert caught.value.what == (
        "the shouting library failed: the process ended (exit code 1): ValueError: hoarse"
    )


async def test_the_guide_tries_three_times() -> None:
    names = support_example("WAITS")
    n_calls = 0

    async def send() -> str:
        nonlocal n_calls
        n_calls += 1
        if n_calls < 3:
            raise TrackerError("busy")
        return "sent"

    assert await names["try_three_times"](send) == "sent"
    assert n_calls == 3


def test_the_guide_remembers(tmp_path: Path) -> None:
    remember = support_example("atomic_draft")["remember"]

    remember(tmp_path, "secret", {"a": 1})
    with pytest.raises(TypeError):
        remember(tmp_path, "secret", {"a": object()})

    assert json.loads((tmp_path / "state.json").read_text()) == {"a": 1}
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
