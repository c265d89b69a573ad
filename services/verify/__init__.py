"""`bowline verify`: what was written down is held against what must always be true, by the checker in this package."""
