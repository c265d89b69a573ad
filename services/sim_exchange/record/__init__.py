"""The exchange's own log: what it was asked and what came of it, and how it finds itself again after a crash."""
