"""A job's events folded into the one frozen value that its screen shows; no widget, no disk."""
