"""A field as a discrete variable: a few states, and an exact distribution of the values within each."""
