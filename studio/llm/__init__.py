"""Every call to a model: one interface, whether it is remote, local or offline."""

from studio.llm.calls import CallLog
from studio.llm.errors import ModelError
from studio.llm.models import list_models
from studio.llm.offline import OfflineModel
from studio.llm.remote import OpenAIModel
from studio.llm.settings import ModelSettings, resolve_settings
from studio.llm.types import ChatModel, Completion, Request, Sampling, Structured, Usage

__all__ = [
    "CallLog",
    "ChatModel",
    "Completion",
    "ModelError",
    "ModelSettings",
    "OfflineModel",
    "OpenAIModel",
    "Request",
    "Sampling",
    "Structured",
    "Usage",
    "list_models",
    "resolve_settings",
]
