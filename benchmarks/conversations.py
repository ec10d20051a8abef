"""What a request of a conversation costs, against one of a plain task, both at the load server.

As many requests both times: samples of one request each, which stream, and a third as many samples
of three turns, which run item by item. Each round does both. Run
`python -m benchmarks.conversations`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.evaluation import CONCURRENCY, evaluate
from benchmarks.processes import Finished, Load, LoadServerProcess, load_server
from benchmarks.samples import write_samples

N_TURNS = 3
_SOLVER = "{use: conversation, texts: ['Are you sure?', 'Say it once more, in one word.']}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few.jsonl", Path(folder) / "many.jsonl"
        write_samples(few, flags.conversations)
        write_samples(many, N_TURNS * flags.conversations)
        compare(few, many, n_requests=N_TURNS * flags.conversations, rounds=flags.rounds)


def compare(few: Path, many: Path, *, n_requests: int, rounds: int) -> None:
    """Ask conversations and plain samples in turns."""
    plain_ms, chat_ms, rates, peaks = [], [], [], []
    with load_server() as server:
        for _ in range(rounds):
            plain, load = run_once(server, many, None)
            check(load, n_requests)
            chat, load = run_once(server, few, _SOLVER)
            check(load, n_requests)
            plain_ms.append(plain.cpu_s / n_requests * 1000)
            chat_ms.append(chat.cpu_s / n_requests * 1000)
            rates.append(load.per_s)
            peaks.append(chat.peak_mib)
    ratio = median(chat / plain for chat, plain in zip(chat_ms, plain_ms, strict=True))
    print(
        f"{n_requests} requests, conversations of {N_TURNS} turns, no latency,"
        f" concurrency {CONCURRENCY}, median of {rounds} rounds"
    )
    print(f"  CPU a request        {median(chat_ms):6.3f} ms, whole process")
    print(f"    of a plain task    {median(plain_ms):6.3f} ms, ratio {ratio:.2f}")
    print(f"  requests/s           {median(rates):6.0f}")
    print(f"  peak memory          {median(peaks):6.0f} MiB")


def check(load: Load, n_requests: int) -> None:
    """Make sure that everything was asked.

    Raises:
        SystemExit: it was not.
    """
    if load.n_requests != n_requests:
        raise SystemExit(f"{load.n_requests} requests were sent, not {n_requests}")


def run_once(
    server: LoadServerProcess, questions: Path, solver: str | None
) -> tuple[Finished, Load]:
    """Evaluate once, on an empty journal."""
    server.reset()
    with tempfile.TemporaryDirectory() as home:
        finished = evaluate(questions, home=Path(home), base_url=server.base_url, solver=solver)
    return finished, server.stats()


if __name__ == "__main__":
    main()
