"""What may be risked: limits, one function per rule, and the verdict on an entry. Pure; exits are never asked about."""
