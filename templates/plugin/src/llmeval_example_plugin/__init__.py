"""A plugin to copy: one component of each kind, each in a module of its own."""
