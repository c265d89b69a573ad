"""How trading is counted: what it costs, how large an order may be, and whether it is worth it. Pure."""
