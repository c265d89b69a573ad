"""The mesh's own Redis: starts the server that came with the environment, and becomes it."""
