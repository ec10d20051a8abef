"""The server: proxied requests a second, big bodies, job submits, and pages of a million samples.

Run `python -m benchmarks.serving`, or one part: `python -m benchmarks.serving proxy`. Bars: the
proxy has 70 % of the requests a second of a bare aiohttp GET in ASGI; its memory grows by at most
20 MiB with 1 GB in either direction; a page of samples takes 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from benchmarks import sample_pages
from benchmarks.http_load import requests_per_s
from benchmarks.processes import ROOT, MeasuredProcess
from benchmarks.served import serving

ROUNDS = 5
N_REQUESTS = 1_000
CONCURRENCIES = (1, 8, 32)
BIG_BYTES = 1_000_000_000
PIECE = bytes(1 << 18)
N_QUEUED = 1_000
N_TIMED = 100


@contextmanager
def process(*arguments: str) -> Iterator[MeasuredProcess]:
    """Run a module of ours while the block lasts."""
    command = (sys.executable, "-m", *arguments)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            yield MeasuredProcess(child, int(child.stdout.readline()))
        finally:
            child.terminate()


def measure_proxy() -> None:
    """Compare the proxy with a bare GET, by turns."""
    with process("benchmarks.far_server") as far:
        url = f"http://127.0.0.1:{far.port}"
        with (
            process("benchmarks.near_server", "bare", url) as bare,
            process("benchmarks.near_server", "proxy", url) as proxy,
        ):
            for near in (bare, proxy):
                asyncio.run(requests_per_s(near.port, "/small", n=500, concurrency=8))
            for concurrency in CONCURRENCIES:
                _compare(bare, proxy, concurrency)


def _compare(bare: MeasuredProcess, proxy: MeasuredProcess, concurrency: int) -> None:
    per_s: dict[str, list[float]] = {"bare": [], "proxy": []}
    cpu_ms: dict[str, list[float]] = {"bare": [], "proxy": []}
    for _ in range(ROUNDS):
        for name, near in (("bare", bare), ("proxy", proxy)):
            before = near.cpu_s()
            asking = requests_per_s(near.port, "/small", n=N_REQUESTS, concurrency=concurrency)
            per_s[name].append(asyncio.run(asking))
            cpu_ms[name].append((near.cpu_s() - before) / N_REQUESTS * 1000)
    rate = {name: median(found) for name, found in per_s.items()}
    cost = {name: median(found) for name, found in cpu_ms.items()}
    print(
        f"{concurrency:2} at once: {rate['proxy']:,.0f} requests/s, bare {rate['bare']:,.0f}:"
        f" {rate['proxy'] / rate['bare']:.0%};  {cost['proxy']:.2f} ms of CPU, bare"
        f" {cost['bare']:.2f}: {cost['proxy'] / cost['bare']:.2f} times",
        flush=True,
    )


def measure_bodies() -> None:
    """Send 1 GB through the proxy, and fetch 1 GB, with its memory before and after."""
    with (
        process("benchmarks.far_server") as far,
        process("benchmarks.near_server", "proxy", f"http://127.0.0.1:{far.port}") as proxy,
    ):
        asyncio.run(requests_per_s(proxy.port, "/small", n=500, concurrency=8))
        for name, move in (("download", _download), ("upload", _upload)):
            before = proxy.mib("VmRSS")
            began, began_cpu = time.perf_counter(), proxy.cpu_s()
            move(proxy.port)
            wall_s, cpu_s = time.perf_counter() - began, proxy.cpu_s() - began_cpu
            grown = proxy.mib("VmHWM") - before
            print(
                f"{name} of 1 GB: {BIG_BYTES / wall_s / 1e6:,.0f} MB/s, {cpu_s:.1f} s of CPU,"
                f" memory {before:.0f} MiB, at most {grown:+.1f} MiB",
                flush=True,
            )


def _download(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/big?{BIG_BYTES}")
    response = connection.getresponse()
    n_bytes = 0
    while piece := response.read(len(PIECE)):
        n_bytes += len(piece)
    assert n_bytes == BIG_BYTES


def _upload(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    pieces = (PIECE[: BIG_BYTES - start] for start in range(0, BIG_BYTES, len(PIECE)))
    connection.request("PUT", "/big", pieces, {"Content-Length": str(BIG_BYTES)})
    assert connection.getresponse().status == 200


def measure_jobs() -> None:
    """Submit jobs to a server without a worker, until 1,000 wait and then some more."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "some.jsonl").write_text('{"input": "a", "references": ["a"]}\n')
        with serving(folder / ".llmeval", cwd=folder) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            times = [_submit(connection, number) for number in range(N_QUEUED + N_TIMED)]
            connection.close()
    for name, some in (("the first", times[1 : N_TIMED + 1]), ("with 1,000 queued", times[-100:])):
        print(f"submit, {name}: p50 {median(some):.0f} ms, p99 {quantiles(some, n=100)[98]:.0f} ms")


def _submit(connection: http.client.HTTPConnection, number: int) -> float:
    """Submit one job; return how long it took until it was accepted, ms."""
    run = {
        "models": [f"echo/{number}"],
        "tasks": [{"dataset": "jsonl:some.jsonl", "metrics": ["exact_match"]}],
    }
    began = time.perf_counter()
    connection.request(
        "POST", "/api/v1/jobs", json.dumps(run), {"Content-Type": "application/json"}
    )
    response = connection.getresponse()
    body = response.read()
    took_ms = (time.perf_counter() - began) * 1000
    if response.status != 201:
        raise SystemExit(body.decode())
    return took_ms


def measure_samples() -> None:
    """Show pages of a task with a million samples; minutes, and 2 GB of disk."""
    with tempfile.TemporaryDirectory() as folder:
        sample_pages.write(Path(folder), 1_000_000)
        sample_pages.measure(Path(folder), 1_000_000)


PARTS: dict[str, Callable[[], None]] = {
    "proxy": measure_proxy,
    "bodies": measure_bodies,
    "jobs": measure_jobs,
    "samples": measure_samples,
}


def main() -> None:
    """Measure all parts, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all if left out")
    for part in parser.parse_args().parts or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main()
