"""What is known about trading: instruments, the life of an order, positions, the ledger, client ids. Pure."""
