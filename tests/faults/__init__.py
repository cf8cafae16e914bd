"""The fault matrix of `docs/delivery.md`: load on, a fault, healing, and everything compared."""
