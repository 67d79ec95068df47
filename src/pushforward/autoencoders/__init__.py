"""Auto-encoders: records as codes, and codes as records."""
