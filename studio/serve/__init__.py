"""Base and tuned behind one local endpoint, made by one worker from one loaded base model."""

from studio.serve.ensure import ensure
from studio.serve.sockets import socket_path
from studio.serve.types import BASE, TUNED, AdapterProof, ServeParams, ServeReady

__all__ = ["BASE", "TUNED", "AdapterProof", "ServeParams", "ServeReady", "ensure", "socket_path"]
