"""The loaded base model with its adapter, and the proof that one can be had without the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from studio.errors import UserError
from studio.serve.types import BASE, TUNED, AdapterProof
from studio.train.chat_template import pin
from studio.train.types import Method
from studio.train.worker.loading import four_bits, greedy
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
    def device(self) -> str:
        return "CPU" if self.model.device.type == "cpu" else torch.cuda.get_device_name(self.model.device)

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
    tokenizer = AutoTokenizer.from_pretrained(_tokenizer_path(base_path, adapter_path))
    if tokenizer.chat_template is None:
        raise UserError("the model has no chat template", where=base_path, remedy="choose an instruction-tuned one")
    pin(tokenizer, system_prompt)
    model.generation_config = greedy(model, tokenizer)
    proof = None
    if adapter_path:
        prompt = _proof_prompt(tokenizer, model.device)
        plain = _logits(model, prompt)
        model = _with_adapter(model, adapter_path)
        proof = prove(plain, _logits(model, prompt, adapter_names=list(ADAPTERS.values())))
    return Served(model, tokenizer, proof, tuned=adapter_path is not None)


def prove(plain: torch.Tensor, mixed: torch.Tensor) -> AdapterProof:
    """Compare logits of the same two rows (2, tokens, vocabulary): from the base model as it was loaded, and from
    the batch in which the first row asks for no adapter and the second for the adapter, as replies are made."""
    off_base = float((mixed[0] - plain[0]).abs().max())
    on_off = float((mixed[1] - mixed[0]).abs().max())
    return AdapterProof(delta_on_off=on_off, delta_off_base=off_base, proven=on_off > 0 and off_base == 0)


def _load_base(base_path: str, method: Method) -> Any:
    placement = choose_placement()
    options: dict[str, Any] = {"dtype": placement.dtype, "device_map": {"": placement.device}}
    if method == "qlora":
        options["quantization_config"] = four_bits(placement)
    try:
        model = AutoModelForCausalLM.from_pretrained(base_path, **options)
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


def _tokenizer_path(base_path: str, adapter_path: str | None) -> str:
    """The adapter's own copy where it has one: its chat template is the one that it was trained with."""
    has_own = adapter_path and (Path(adapter_path) / "tokenizer_config.json").is_file()
    return adapter_path if adapter_path and has_own else base_path


def _with_adapter(model: Any, adapter_path: str) -> Any:
    try:
        return PeftModel.from_pretrained(model, adapter_path).eval()
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"the adapter does not fit the base model: {reason}", where=adapter_path) from error


def _proof_prompt(tokenizer: Any, device: torch.device) -> torch.Tensor:
    """Token ids (2, tokens): the same prompt twice."""
    messages = [{"role": "user", "content": _PROOF_TEXT}]
    rendered = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    ids: torch.Tensor = rendered["input_ids"]
    return ids.repeat(2, 1).to(device)


def _logits(model: Any, ids: torch.Tensor, **options: Any) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=ids, **options).logits.float()
    return logits
