"""Normalizing flows: invertible maps, bases, densities, and the families that learn them."""
