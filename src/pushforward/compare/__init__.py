"""Which family, and why: models beside one another on the same records."""
