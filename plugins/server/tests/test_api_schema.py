"""Thousands of odd requests: the API does what its OpenAPI document says, and never breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from plugins.server.tests.api_fixtures import Serve

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def test_no_request_breaks_the_server_and_every_answer_is_as_documented(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve(requests_per_minute=1_000_000)

    # A process of its own: its generators warn of what is no concern of ours.
    found = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{server.url}/api/openapi.json",
            *("--checks", ",".join(_CHECKS)),
            *("--phases", "examples,coverage,fuzzing"),
            *("--max-examples", "20"),
            # Streams of queued jobs do not end; without a worker 503 is the right answer.
            *("--exclude-path-regex", "events$|readyz$"),
            *("--request-timeout", "60"),
            *("--seed", "7"),
            "--no-color",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert found.returncode == 0, found.stdout[-6000:]
    assert "Tested: 17" in found.stdout
