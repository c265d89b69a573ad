"""The one impure room: settings, logs, and (as they are built) sockets, security, clock and journal."""
