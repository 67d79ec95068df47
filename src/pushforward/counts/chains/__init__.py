"""Fields told one after another, each from those before it."""
