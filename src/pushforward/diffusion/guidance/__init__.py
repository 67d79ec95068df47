"""Denoisers around denoisers, a file each."""
