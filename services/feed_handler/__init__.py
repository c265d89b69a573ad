"""The feed-handler: the eyes of the mesh. One process reads one venue's public data for some symbols."""
