"""Base and tuned behind one local endpoint, made by one worker from one loaded base model."""

from studio.serve.ensure import end_unused, ensure
from studio.serve.runs import model_params, run_params
from studio.serve.server import Server, open_model, served_settings
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
