"""Packaging the adapter: what goes in, what came out, and the proof that it works."""
