"""The flattener's core: what it reads, whom it watches, when it acts. Pure."""
