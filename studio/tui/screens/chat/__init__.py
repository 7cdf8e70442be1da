"""Talking to base and tuned side by side, and voting on their replies."""
