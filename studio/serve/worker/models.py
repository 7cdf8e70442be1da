"""The loaded base model with its adapter, and the proof that one can be had without the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoTokenizer

from studio.errors import UserError
from studio.serve.types import BASE, TUNED, AdapterProof
from studio.train.types import Method
from studio.train.worker.encoding import pin, prompt_ids
from studio.train.worker.loading import greedy, load_weights
from studio.train.worker.placement import choose_placement, set_threads

ADAPTERS = {BASE: "__base__", TUNED: "default"}
"""PEFT's names for no adapter and for the one that is loaded."""
_PROOF_TEXT = "Please add a task for tomorrow and tell me what comes next."


@dataclass(frozen=True)
class Served:
    """One base model in memory. ``model`` is a PeftModel where there is an adapter."""

    model: Any
    tokenizer: Any
    proof: AdapterProof | None
    tuned: bool

    @property
    def names(self) -> tuple[str, ...]:
        return (BASE, TUNED) if self.tuned else (BASE,)

    @property
    def context(self) -> int:
        """Tokens that prompt and reply may have together."""
        return int(self.model.config.get_text_config().max_position_embeddings)

    @property
    def ends(self) -> frozenset[int]:
        """Tokens that end a reply."""
        return frozenset(self.model.generation_config.eos_token_id or ())


def load(base_path: str, adapter_path: str | None, method: Method = "lora", system_prompt: str | None = None) -> Served:
    """Load once, prove, and get ready to answer; the base model in four bits for ``qlora``.

    ``system_prompt`` goes in front of conversations that have no system turn of their own. Raises :class:`UserError`
    where the parts do not fit.
    """
    if adapter_path and not (Path(adapter_path) / "adapter_config.json").is_file():
        raise UserError("no adapter there", where=adapter_path, remedy="train to the end, or serve the base alone")
    model = _load_base(base_path, method)
    # The adapter's own copy where it has one: its chat template is the one that it was trained with.
    own = adapter_path and (Path(adapter_path) / "tokenizer_config.json").is_file()
    tokenizer = AutoTokenizer.from_pretrained(adapter_path if own else base_path)
    if tokenizer.chat_template is None:
        raise UserError("the model has no chat template", where=base_path, remedy="choose an instruction-tuned one")
    pin(tokenizer, system_prompt)
    model.generation_config = greedy(model, tokenizer)
    if not adapter_path:
        return Served(model, tokenizer, None, tuned=False)
    question = [{"role": "user", "content": _PROOF_TEXT}]
    prompt = torch.tensor([prompt_ids(tokenizer, question)] * 2, device=model.device)
    plain = _logits(model, prompt)
    try:
        model = PeftModel.from_pretrained(model, adapter_path).eval()
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"the adapter does not fit the base model: {reason}", where=adapter_path) from error
    proof = prove(plain, _logits(model, prompt, adapter_names=list(ADAPTERS.values())))
    return Served(model, tokenizer, proof, tuned=True)


def prove(plain: torch.Tensor, mixed: torch.Tensor) -> AdapterProof:
    """Compare logits of the same two rows (2, tokens, vocabulary): from the base model as it was loaded, and from
    the batch in which the first row asks for no adapter and the second for the adapter, as replies are made."""
    off_base = float((mixed[0] - plain[0]).abs().max())
    on_off = float((mixed[1] - mixed[0]).abs().max())
    return AdapterProof(delta_on_off=on_off, delta_off_base=off_base, proven=on_off > 0 and off_base == 0)


def _load_base(base_path: str, method: Method) -> Any:
    try:
        model = load_weights(base_path, method, choose_placement())
    except (torch.OutOfMemoryError, MemoryError):
        remedy = "stop what else uses it, or take a smaller base model"
        raise UserError("out of memory", where=base_path, remedy=remedy) from None
    except (OSError, ValueError) as error:
        raise UserError(str(error).strip().splitlines()[0], where=base_path) from error
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            # bitsandbytes' faster form on some CPUs loses bits whenever PEFT reads the state dict: no base any more
            module.support_avx512bf16_for_cpu = False
    set_threads(model.num_parameters())
    return model.eval()


def _logits(model: Any, ids: torch.Tensor, **options: Any) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=ids, **options).logits.float()
    return logits
