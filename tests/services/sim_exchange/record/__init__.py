"""The exchange's own log."""
