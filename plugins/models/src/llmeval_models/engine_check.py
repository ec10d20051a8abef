"""A line of `llmeval doctor` about the embedded engine."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from llmeval_core.hooks import CheckOutcome
from llmeval_models.llamacpp.llama_cpp_provider import INSTALL

_IMPORT_TIMEOUT_S = 60.0


def check_engine(home: Path, *, cpuinfo: Path = Path("/proc/cpuinfo")) -> CheckOutcome:
    """Look whether the engine is there, and runs on this processor.

    Args:
        home: not needed.
        cpuinfo: where Linux describes the processor; elsewhere there is no such file.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        return CheckOutcome("warning", "not installed; only llamacpp/ models need it", INSTALL)
    if cpuinfo.exists():
        said = cpuinfo.read_text(encoding="utf-8")
        if "flags" in said and " avx2" not in said:  # processors without `flags` are no x86
            return CheckOutcome(
                "failed", "this processor has no AVX2", "ask a server instead: openai_compatible"
            )
    # In a process of its own: what cannot be loaded may crash.
    code = "import xllamacpp; print(xllamacpp.__version__)"
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter and a fixed line
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=_IMPORT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return CheckOutcome("failed", f"xllamacpp takes over {_IMPORT_TIMEOUT_S:g} s to import")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return CheckOutcome("failed", f"xllamacpp cannot be imported: {last}", INSTALL)
    return CheckOutcome("ok", f"xllamacpp {done.stdout.strip()}")
