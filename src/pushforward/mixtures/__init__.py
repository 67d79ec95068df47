"""Mixtures: sums of simple distributions, by expectation-maximisation."""
