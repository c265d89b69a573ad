"""The link to a venue: what the process of the feed-handler has to do with the world beside the bus."""
