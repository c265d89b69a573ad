"""`bowline watch`: symbols, processes and hops as they are, from what `metrics` measures."""
