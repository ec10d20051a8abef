"""The documentation site: its pages put together from the tree and from what is installed."""
