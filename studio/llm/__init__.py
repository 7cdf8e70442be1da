"""Every call to a model: one interface, whether it is remote or local."""

from studio.llm.batch import BatchClient, BatchModel, BatchStatus, Submitted
from studio.llm.budget import check_budget
from studio.llm.client import OpenAIModel, author_model
from studio.llm.discovery import LocalServer, find_servers, list_models
from studio.llm.endpoint import drain, learned_at, waiting, window
from studio.llm.errors import Kind, ModelError
from studio.llm.ledger import CallLog
from studio.llm.prices import dollars
from studio.llm.settings import ModelSettings, resolve_settings
from studio.llm.structured import strict_schema
from studio.llm.types import ChatModel, Completion, Purpose, Reply, Request, Sampling, Structured, Usage, Waiting

__all__ = [
    "BatchClient",
    "BatchModel",
    "BatchStatus",
    "CallLog",
    "ChatModel",
    "Completion",
    "Kind",
    "LocalServer",
    "ModelError",
    "ModelSettings",
    "OpenAIModel",
    "Purpose",
    "Reply",
    "Request",
    "Sampling",
    "Structured",
    "Submitted",
    "Usage",
    "Waiting",
    "author_model",
    "check_budget",
    "dollars",
    "drain",
    "find_servers",
    "learned_at",
    "list_models",
    "resolve_settings",
    "strict_schema",
    "waiting",
    "window",
]
