"""Who does it: one package per process, each a pure core and a thin shell. No service imports another."""

__version__ = "0.1.0"
