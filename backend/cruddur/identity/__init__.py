"""Who is asking: access tokens, the people behind them, and the account providers."""
