"""What a user can set: the run file's shape, how it is read, how secrets get in."""

from llmeval_core.config.bounds import (
    BudgetConfig,
    LimitsConfig,
    PriceConfig,
    RetryConfig,
    TimeoutConfig,
)
from llmeval_core.config.extract_config import (
    ExtractConfig,
    ExtractRule,
    describe_extract,
    extract_rules,
)
from llmeval_core.config.origin import KeyPath, Origin
from llmeval_core.config.request_config import (
    Examples,
    FewShotConfig,
    GenerationConfig,
    PromptConfig,
    ReasoningConfig,
)
from llmeval_core.config.run_file import load_run_file, read_run_text
from llmeval_core.config.schema import ModelConfig, RunConfig
from llmeval_core.config.secrets import Redactor, expand_env
from llmeval_core.config.settings import ComponentConfig, Settings, TrackerConfig
from llmeval_core.config.settings_file import read_settings_file, validate
from llmeval_core.config.task_config import AnswerBy, TaskConfig, TaskDefaults, TruncatedAnswers

__all__ = [
    "AnswerBy",
    "BudgetConfig",
    "ComponentConfig",
    "Examples",
    "ExtractConfig",
    "ExtractRule",
    "FewShotConfig",
    "GenerationConfig",
    "KeyPath",
    "LimitsConfig",
    "ModelConfig",
    "Origin",
    "PriceConfig",
    "PromptConfig",
    "ReasoningConfig",
    "Redactor",
    "RetryConfig",
    "RunConfig",
    "Settings",
    "TaskConfig",
    "TaskDefaults",
    "TimeoutConfig",
    "TrackerConfig",
    "TruncatedAnswers",
    "describe_extract",
    "expand_env",
    "extract_rules",
    "load_run_file",
    "read_run_text",
    "read_settings_file",
    "validate",
]
