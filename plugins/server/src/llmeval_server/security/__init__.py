"""Guards of the server: hosts, tokens, logins, origins, sizes, rates, headers; one file each."""
