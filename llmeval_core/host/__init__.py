"""Plugins found, loaded each under a guard of its own, and what they offer."""

from llmeval_core.host.plugin_loading import is_hook, load_plugins
from llmeval_core.host.plugins import COMPONENT_KINDS, Host, Plugin, PluginState, registered_name

__all__ = [
    "COMPONENT_KINDS",
    "Host",
    "Plugin",
    "PluginState",
    "is_hook",
    "load_plugins",
    "registered_name",
]
