"""The matching core: pure. `exchange.py` is its door, `vocabulary.py` its words."""
