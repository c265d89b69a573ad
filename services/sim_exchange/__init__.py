"""A venue of our own: matching, a market that lives, and a face that speaks as Binance does."""
