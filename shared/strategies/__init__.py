"""Strategies: one a file, each with its parameters, its features and its decision kernel. Pure."""
