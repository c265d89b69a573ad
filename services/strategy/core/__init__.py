"""The core of the strategy host: what it decides on, what it holds, what it asks for. Pure."""
