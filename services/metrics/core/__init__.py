"""The core of metrics: what is known of symbols, processes and hops, and how it stands at a moment. Pure."""
