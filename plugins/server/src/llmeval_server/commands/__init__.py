"""Commands that the server adds to the command line; each imports heavy modules late."""
