"""Metrics: gathers what is measured of the market data and the mesh, and shows it; nothing is ever decided by it."""
