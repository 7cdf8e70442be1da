"""The stage of the spec: its parts and prompts to read, and its file to edit in place."""
