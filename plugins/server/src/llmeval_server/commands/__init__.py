"""Commands that the server adds to the command line; each imports what is heavy when it is used."""
