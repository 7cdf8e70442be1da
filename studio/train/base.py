"""Finding the base model that a spec names: SmolLM2, a folder, or on the Hugging Face hub."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from studio.errors import UserError
from studio.train.smollm2 import SMOLLM2, Tell, prepared

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_HUB_TIMEOUT_S = 10.0
_NO_NETWORK = "check the network, give a local folder, or try the embedded one: --base smollm2"


def resolve_base(base_model: str, tell: Tell | None = None) -> str:
    """What a worker loads: a folder, or the id of a model that is in the local cache or on the hub.

    ``smollm2`` is SmolLM2-135M-Instruct (:mod:`studio.train.smollm2`), prepared once on a machine: ``tell`` hears a
    line before that. Asks the hub, for up to ten seconds, where the model is not cached. Raises :class:`UserError`
    where there is no such model or it cannot be had.
    """
    if base_model == SMOLLM2:
        return str(prepared(tell))
    folder = Path(base_model).expanduser()
    if folder.is_dir():
        return str(_checked(folder))
    if base_model.startswith(("/", ".", "~")) or not _HUB_ID.fullmatch(base_model):
        raise UserError("no such folder", where=base_model, remedy="give a model's folder, a hub id, or smollm2")
    if not _cached(base_model):
        _ask_hub(base_model)
    return base_model


def _checked(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise UserError("the folder holds no model", where=str(folder), remedy="it needs config.json and weights")
    return folder.resolve()


def _cached(repo: str) -> bool:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        raise _not_installed() from None
    return isinstance(try_to_load_from_cache(repo, "config.json"), str)


def _ask_hub(repo: str) -> None:
    from httpx import HTTPError
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError

    try:
        info = HfApi().model_info(repo, timeout=_HUB_TIMEOUT_S)
    except GatedRepoError:
        raise _gated(repo) from None
    except RepositoryNotFoundError:
        remedy = "check the spelling; for a private model set HF_TOKEN"
        raise UserError("the hub has no such model", where=repo, remedy=remedy) from None
    except OfflineModeIsEnabled:
        remedy = "unset HF_HUB_OFFLINE, or --base smollm2"
        raise UserError("the model is not in the local cache", where=repo, remedy=remedy) from None
    except (HfHubHTTPError, HTTPError, OSError) as error:
        reason = f"the hub did not answer: {type(error).__name__}"
        raise UserError(f"the model is not in the local cache, and {reason}", where=repo, remedy=_NO_NETWORK) from None
    if info.gated and not (os.environ.get("HF_TOKEN") or _logged_in()):
        raise _gated(repo)
    with suppress(HfHubHTTPError, HTTPError, OSError):  # its shape can be told then; the worker says what is missing
        hf_hub_download(repo, "config.json")


def _logged_in() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _gated(repo: str) -> UserError:
    remedy = f"accept them on https://huggingface.co/{repo} and set HF_TOKEN, or --base smollm2"
    return UserError("the model is handed out under terms", where=repo, remedy=remedy)


def _not_installed() -> UserError:
    return UserError("the training libraries are not installed", remedy="pip install '.[train]'")
