"""Shows a person what was ordered, filled and held, and why: from the journals, whether the mesh runs or not."""
