"""Base and tuned behind one local endpoint, made by one worker from one loaded base model."""

from studio.serve.client import Server, end_unused, ensure, model_params, open_model, run_params, served_settings
from studio.serve.types import BASE, TUNED, AdapterProof, ServeParams, ServeReady

__all__ = [
    "BASE",
    "TUNED",
    "AdapterProof",
    "ServeParams",
    "ServeReady",
    "Server",
    "end_unused",
    "ensure",
    "model_params",
    "open_model",
    "run_params",
    "served_settings",
]
