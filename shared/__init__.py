"""What is known: pure rooms of trading knowledge, and one impure room, `shared.mesh`, which holds the runtime."""
