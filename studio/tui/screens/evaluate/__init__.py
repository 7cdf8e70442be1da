"""Evaluating: base beside tuned, the gates, the probes, and labelling the replies that decide them."""
