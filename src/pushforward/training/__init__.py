"""Training: one loop for all players, one for all statistics, and checkpoints. This package knows no family."""
