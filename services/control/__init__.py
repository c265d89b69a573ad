"""The verbs by which an operator steers the mesh: they ask the processes, and each writes the act down."""
