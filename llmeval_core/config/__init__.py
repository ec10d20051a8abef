"""What a user can set: the run file's shape, how it is read, how secrets get in."""

from llmeval_core.config.loading import KeyPath, Origin, load_run_file, read_run_text, validate
from llmeval_core.config.schema import (
    AnswerBy,
    ComponentConfig,
    Examples,
    FewShotConfig,
    GenerationConfig,
    ModelConfig,
    PromptConfig,
    RetryConfig,
    RunConfig,
    Settings,
    TaskConfig,
    TaskDefaults,
    TimeoutConfig,
    TrackerConfig,
)
from llmeval_core.config.secrets import Redactor, expand_env

__all__ = [
    "AnswerBy",
    "ComponentConfig",
    "Examples",
    "FewShotConfig",
    "GenerationConfig",
    "KeyPath",
    "ModelConfig",
    "Origin",
    "PromptConfig",
    "Redactor",
    "RetryConfig",
    "RunConfig",
    "Settings",
    "TaskConfig",
    "TaskDefaults",
    "TimeoutConfig",
    "TrackerConfig",
    "expand_env",
    "load_run_file",
    "read_run_text",
    "validate",
]
