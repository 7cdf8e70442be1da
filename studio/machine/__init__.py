"""What the machine gives to all rooms: locks, GPUs and who has them, and whether work outlives a connection."""
