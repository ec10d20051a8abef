"""Solvers for llmeval: conversations, majority votes, tools; and a calculator to call."""
