"""The gateway to a venue: everything between the executor's core and where the money is. It decides nothing."""
