"""Training: the plan and its recipe, the run as it goes with its curve, and the runs before it."""
