"""What this plugin offers: the commands of the server."""

from __future__ import annotations
