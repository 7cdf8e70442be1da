"""Persona Studio: from a persona spec to a LoRA adapter that passed its quality gates."""

__version__ = "0.1.0"
