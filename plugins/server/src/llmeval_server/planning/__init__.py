"""Plans of run files: made in processes that can be killed, since a thread cannot."""
