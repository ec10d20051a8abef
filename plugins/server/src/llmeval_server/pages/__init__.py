"""The pages: rendered on the server, live with a little JavaScript, usable without it."""

from llmeval_server.pages.error_page import make_error_page
from llmeval_server.pages.page_routes import make_pages

__all__ = ["make_error_page", "make_pages"]
