"""The plugins of a process and what they offer."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmeval_core.catalog import KINDS, Catalog, RegisteredComponent
from llmeval_core.host import Host, load_plugins

_STRICT = "LLMEVAL_STRICT_PLUGINS"


@dataclass(frozen=True, slots=True)
class Session:
    """The plugins of this process and what they offer."""

    host: Host
    catalog: Catalog


def make_session(
    *,
    disabled: Iterable[str] = (),
    environ: Mapping[str, str] = os.environ,
    tolerant: bool = False,
) -> Session:
    """Load the plugins and build the catalogue.

    Args:
        disabled: plugins to be left alone.
        environ: where the `LLMEVAL_` variables are read.
        tolerant: whether broken plugins are accepted even if LLMEVAL_STRICT_PLUGINS is set.

    Raises:
        PluginError: a plugin is broken, and LLMEVAL_STRICT_PLUGINS is set.
    """
    host = load_plugins(disabled=disabled, environ=lenient(environ) if tolerant else environ)
    components = {
        kind: [
            RegisteredComponent(component, plugin.label)
            for component, plugin in host.components(kind)
        ]
        for kind in KINDS
    }
    unusable = (*host.broken, *host.unreadable)
    broken = [f"{plugin.name} ({plugin.label}): {plugin.reason}" for plugin in unusable]
    left_alone = [plugin.name for plugin in host.plugins if plugin.state == "disabled"]
    return Session(host, Catalog(components, broken=broken, disabled=left_alone))


def lenient(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the wish that a broken plugin be an error."""
    return {name: value for name, value in environ.items() if name != _STRICT}
