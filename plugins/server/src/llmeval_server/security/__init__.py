"""Who may do what: hosts, tokens, logins, origins, sizes, rates, headers; one file each."""
