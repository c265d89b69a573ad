"""A pure room: what passes between a service's core and its shell, and the bookkeeping both rely on.

No socket, clock or file is known here. `service` is the vocabulary of every core, `continuity` says what a reader of a
stream may believe, `lease` how old a lease is.
"""
