"""Works orders at a venue, and keeps books of what came of them: the engine of executor and flattener. Pure."""
