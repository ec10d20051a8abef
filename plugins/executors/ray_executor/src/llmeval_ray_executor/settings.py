"""What can be set about the cluster and the workers on it."""

from __future__ import annotations

from pydantic import Field

from llmeval_core.hooks import Settings


class RaySettings(Settings):
    """Where the cluster is, how many workers there are, and what each of them gets."""

    address: str | None = Field(
        default=None,
        description="`auto` or `host:port` joins a cluster, `ray://host:port` joins one through "
        "its client server; left out, a cluster is started on this machine for the run.",
    )
    actors: int = Field(
        default=2, ge=1, description="Workers; each opens its own copy of the model."
    )
    num_cpus: float = Field(default=1, ge=0, description="CPUs that Ray reserves for a worker.")
    num_gpus: float = Field(default=0, ge=0, description="GPUs that a worker gets.")
    resources: dict[str, float] = Field(
        default={}, description="Custom resources that Ray reserves for a worker."
    )
    concurrency_per_actor: int | None = Field(
        default=None,
        ge=1,
        description="Most requests under way in a worker; the run's concurrency, shared among "
        "the workers, if left out.",
    )
    chunk_size: int = Field(
        default=100, ge=1, le=100, description="Most requests in one message to a worker."
    )
    max_restarts: int = Field(
        default=10, ge=0, description="How often each worker is replaced after it was lost."
    )
    start_timeout_s: float = Field(
        default=600.0,
        gt=0,
        description="Longest time without any worker that is ready, seconds: for a place on the "
        "cluster and for loading the model.",
    )
    quiet: bool = Field(default=True, description="Keep Ray's own messages off the screen.")
