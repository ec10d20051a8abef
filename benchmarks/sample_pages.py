"""The samples page with a million samples of a task in the journal: first, deep and filtered pages.

Bar: 100 ms for any page. Run `python -m benchmarks.sample_pages`; making the journal takes a minute
or two and 2 GB of disk; `--journal FOLDER` keeps it there, and uses it if it is there.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path
from statistics import median

from llmeval_server.pages.page_renderer import Renderer
from llmeval_server.pages.samples_page import SamplesPage
from starlette.requests import Request as PageRequest

from llmeval_core.journal import Journal
from llmeval_core.journal.journal_writer import JournalWriter
from llmeval_core.naming import fingerprint
from llmeval_core.records import (
    Failure,
    Generation,
    GenerationSettings,
    Message,
    Request,
    Sample,
    SampleResult,
    Score,
)

MODEL, TASK = "load/model-1", "mountains_0shot"
ROUNDS = 9
_MOST_WAITING = 5000
_PAGES = (
    "",
    "&from={deep}",
    "&to={last}",
    "&show=wrong&metric=exact&from={deep}",
    "&show=wrong&metric=rare",
    "&show=wrong&from={deep}",
    "&show=failed&from={deep}",
    "&category=c3&from={deep}",
    "&category=c3&show=failed",
    "&category=c3&show=wrong&from={deep}",
    "&id=s-0777",
)


def main() -> None:
    """Make the journal, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--journal", type=Path, help="the folder of the journal")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home: Path = flags.journal or Path(folder)
        if not (home / "journal.sqlite").exists():
            write(home, flags.samples)
        measure(home, flags.samples)


def write(home: Path, n_samples: int) -> None:
    """Make the journal with the writer that runs have."""
    chance = random.Random(1)
    with Journal(home) as journal:
        task = journal.begin_task(
            "ab" * 16, model=MODEL, key=TASK, metrics=["exact", "overlap", "rare"]
        )
        writer = JournalWriter(journal.path)
        for index in range(n_samples):
            writer.put(task, make_result(index, chance))
            while writer.n_waiting > _MOST_WAITING:
                time.sleep(0.005)
        writer.flush().result()
        writer.close()


def make_result(index: int, chance: random.Random) -> SampleResult:
    """Make a sample: 40 % are wrong, 0.2 % failed, and every 100,003rd is wrong by `rare`."""
    question = f"Which is the {index}th highest mountain? " + "Some context. " * chance.randint(
        1, 30
    )
    request = Request(
        sample_id=f"s-{index:07}",
        mode="chat",
        messages=(Message("user", question),),
        prompt="",
        continuations=(),
        settings=GenerationSettings(),
        fingerprint=fingerprint(index),
    )
    sample = Sample(f"s-{index:07}", question, ("K2",), category=f"c{chance.randint(0, 4)}")
    if chance.random() < 0.002:
        return SampleResult(index, sample, request, None, {}, Failure("timeout", "no answer"))
    scores = {
        "exact": Score(float(chance.random() < 0.6), "K2"),
        "overlap": Score(chance.random(), "It is K2."),
        "rare": Score(float(index % 100_003 != 7)),
    }
    return SampleResult(index, sample, request, Generation(("It is K2.",), (), "stop"), scores)


def measure(home: Path, n_samples: int) -> None:
    """Time each page as the server renders it, and print the medians."""
    page = SamplesPage(Renderer((), has_login=False), home)
    for query in _PAGES:
        asked = query.format(deep=n_samples * 9 // 10, last=n_samples - 1)
        cpu_s, wall_s = [], []
        for _ in range(ROUNDS):
            began_cpu, began = time.process_time(), time.perf_counter()
            page.show(_request(asked))
            cpu_s.append(time.process_time() - began_cpu)
            wall_s.append(time.perf_counter() - began)
        times = f"{median(wall_s) * 1000:5.0f} ms, {median(cpu_s) * 1000:5.1f} ms of CPU"
        print(f"{times}  {asked or 'the first page'}")


def _request(query: str) -> PageRequest:
    whole = f"model={MODEL}&task={TASK}{query}".encode()
    scope = {"type": "http", "method": "GET", "path": "/samples", "root_path": "", "headers": []}
    return PageRequest({**scope, "query_string": whole})


if __name__ == "__main__":
    main()
