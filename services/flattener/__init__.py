"""The flattener: reads the account with a key of its own, and closes what the bot holds where the executor cannot."""
