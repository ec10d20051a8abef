"""The page on which the API can be read and tried; its files are served from here."""

from llmeval_server.rest_api.documentation.swagger_page import documentation_routes

__all__ = ["documentation_routes"]
