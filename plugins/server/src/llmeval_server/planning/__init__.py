"""Plans of run files, made in processes, which can be killed when a thread cannot."""
