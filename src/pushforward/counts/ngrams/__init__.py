"""N-grams: what follows what, counted and repeated."""
