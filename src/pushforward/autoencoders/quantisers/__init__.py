"""Vectors brought to one of finitely many, and what codes are then distributed like."""
