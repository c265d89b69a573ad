"""How `bowline watch` shows what it knows: pure, from messages and a size to lines."""
