"""The page on which the API can be read and tried; its files come from here, not from a CDN."""

from llmeval_server.api.documentation.page import documentation_routes

__all__ = ["documentation_routes"]
