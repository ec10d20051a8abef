"""Asking a server: JSON over HTTP, with every way to fail turned into a ModelError."""
