"""Access tokens, the users that they name, and the account providers."""
