"""Triage: looking at examples and deciding on them."""
