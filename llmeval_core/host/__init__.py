"""Plugins found, loaded each under a guard of its own, and what they offer."""

from llmeval_core.host.loading import load_plugins
from llmeval_core.host.plugins import COMPONENT_KINDS, Host, Plugin, PluginState

__all__ = ["COMPONENT_KINDS", "Host", "Plugin", "PluginState", "load_plugins"]
