"""Text as text: made inert, normalised, cut into words and sentences."""
