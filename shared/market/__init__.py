"""What is known about markets: bars, the order book, and whether data can be believed. Pure."""
