"""The stage of generating: how far each category is, who writes, and every example made so far."""
