"""The core of risk: what it knows, and what follows from it. Pure."""
