"""Where the window meets threads, the disk and other processes."""
