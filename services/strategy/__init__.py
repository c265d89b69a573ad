"""The strategy host: decides on closed bars, asks risk for entries, and tells the executor what is to be left."""
