"""The settings of a server, given by flags or by environment variables."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from llmeval_core.hooks import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def variable_of(name: str) -> str:
    """Return the name of a setting's environment variable."""
    return f"LLMEVAL_{name.upper()}"


class ServerSettings(Settings):
    """The settings of the API, the pages and the worker.

    Each has an environment variable: `LLMEVAL_` and the setting's name in capitals, in which the
    items of a list are separated by commas. A flag of the command takes precedence.
    """

    home: Path = Field(
        default=Path(".llmeval"), description="Folder of the journal, the jobs and the logs."
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8001, ge=0, le=65535, description="The port; 0 for a free one.")
    root_path: str = Field(
        default="",
        description="The path under which a reverse proxy serves us, such as `/llmeval`.",
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="Addresses of reverse proxies whose X-Forwarded-* are believed."
    )
    token: SecretStr | None = Field(
        default=None,
        description="The token that clients must send; generated and printed once if the address "
        "is not loopback and none is set.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(),
        description="Host names under which the server may be addressed, besides its own address.",
    )
    data_folders: tuple[Path, ...] = Field(
        default=(Path(),), description="Folders in which jobs may name files."
    )
    model_urls: tuple[str, ...] = Field(
        default=(), description="Base URLs that jobs may name for models and trackers."
    )
    job_variables: tuple[str, ...] = Field(
        default=(), description="Environment variables that jobs may name as `${NAME}`."
    )
    jobs_at_once: int = Field(default=1, ge=1, description="Most jobs that run at the same time.")
    jobs_url: SecretStr | None = Field(
        default=None,
        description="Where jobs are kept: `postgresql://...`; SQLite in the home if left out.",
    )
    plan_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Longest time that checking and planning a run file may take.",
    )
    plans_at_once: int = Field(
        default=2, ge=1, description="Most run files that are planned at the same time."
    )
    max_plan_samples: int = Field(
        default=1_000_000, ge=1, description="Most samples that a plan reads to count requests."
    )
    max_plan_bytes: int = Field(
        default=20_000_000, ge=1, description="Largest response with a plan, bytes."
    )
    max_plan_megabytes: int = Field(
        default=2_000, ge=100, description="Most memory of one process that plans, MB."
    )
    max_items: int = Field(
        default=1_000,
        ge=1,
        description="Most models, tasks, metrics, trackers and numbers of shots in one list of a "
        "run file.",
    )
    max_job_tasks: int = Field(
        default=20_000, ge=1, description="Most tasks of a job: models × tasks × shots."
    )
    max_query_values: int = Field(
        default=200, ge=1, description="Most values in the query of an address."
    )
    max_request_bytes: int = Field(
        default=1_000_000, ge=1, description="Largest body of a request to the API and the pages."
    )
    requests_per_minute: int = Field(
        default=1200,
        ge=1,
        description="Most requests of one client in a minute, proxied ones apart.",
    )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK
