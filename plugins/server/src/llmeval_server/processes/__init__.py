"""Processes of a server: their ends, and what they must not leave behind."""
