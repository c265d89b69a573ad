"""Faults on command: what may go wrong at the simulated exchange, when, and how it is asked for."""
