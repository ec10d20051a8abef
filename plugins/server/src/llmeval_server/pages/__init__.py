"""The pages that people look at: rendered here, live with a little JavaScript, usable without."""

from llmeval_server.pages.routes import make_pages
from llmeval_server.pages.trouble import error_page

__all__ = ["error_page", "make_pages"]
