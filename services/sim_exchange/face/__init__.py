"""The face of the simulated exchange: Binance's spot REST, market streams and WebSocket API, by its own words."""
