"""Trees: every field depends on one other."""
