"""The risk watchdog: judges every entry before the executor may work it, and grants the lease that it lives on."""
