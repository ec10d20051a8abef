"""`llmeval jobs`: submit and manage a server's jobs from a terminal."""

from llmeval_server.commands.job_commands.jobs_group import command

__all__ = ["command"]
