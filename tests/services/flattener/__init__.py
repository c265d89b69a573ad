"""The flattener: its core by itself, and as a real process."""
