"""Termination of a server's processes: in bounded time, with nothing left behind."""
