"""The corpus of names and texts, and how well redaction does on it."""
