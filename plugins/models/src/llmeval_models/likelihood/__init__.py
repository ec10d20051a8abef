"""Log-likelihoods of continuations, computed with what a server offers."""
