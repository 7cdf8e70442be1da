"""A package as anybody would load it: transformers and peft alone, as the snippet on its card does.

A process of its own: ``python -m studio.serve.worker.plain QUESTION ANSWER``. It imports nothing of the training
worker's, which registers an attention of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import peft
import torch
import transformers
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GenerationConfig

from studio.serve.logprobs import PlainAnswer, PlainQuestion, Row, Runtime, answered


def load_plainly(folder: str, base: str, runtime: Runtime) -> tuple[Any, Any]:
    """Model and tokenizer of a package."""
    options: dict[str, Any] = {"dtype": getattr(torch, runtime.dtype)}
    if runtime.four_bits:
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, runtime.compute_dtype),
        )
    model = AutoModelForCausalLM.from_pretrained(base, device_map={"": runtime.device}, **options)
    model.generation_config = GenerationConfig.from_pretrained(folder)
    return PeftModel.from_pretrained(model, folder).eval(), AutoTokenizer.from_pretrained(folder)


def logprobs(model: Any, prompt: Sequence[int], taught: Sequence[int]) -> list[float]:
    """Natural log-probability of each token of ``taught`` after ``prompt`` and those before it."""
    ids = torch.tensor([[*prompt, *taught]], device=model.device)
    with torch.inference_mode():
        logits = model(input_ids=ids).logits[0, len(prompt) - 1 : -1].float()
    chosen: torch.Tensor = logits.log_softmax(-1).gather(1, ids[0, len(prompt) :, None])
    return [float(one) for one in chosen[:, 0]]


def answer(question: PlainQuestion) -> PlainAnswer:
    model, tokenizer = load_plainly(question.folder, question.base, question.runtime)
    rows = []
    for reply, row in zip(question.replies, question.rows, strict=True):
        turns = [message.model_dump() for message in reply.messages]
        prompt = list(tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False))
        rows.append(Row(prompt=tuple(prompt), taught=row.taught, logprobs=tuple(logprobs(model, prompt, row.taught))))
    ids = torch.tensor([rows[0].prompt], device=model.device)
    with torch.inference_mode():
        made = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=question.most_tokens)[
            0, ids.shape[1] :
        ]
    ends = model.generation_config.eos_token_id
    return PlainAnswer(
        rows=tuple(rows),
        reply=tokenizer.decode(made, skip_special_tokens=True),
        cut=int(made[-1]) not in (ends if isinstance(ends, list) else [ends]),
        versions={one.__name__: one.__version__ for one in (torch, transformers, peft)},
    )


if __name__ == "__main__":
    answered(PlainQuestion, answer)
