"""An adapter without any training, and a client of the Unix socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.tiny_model import tiny_base

BASE_PATH = tiny_base()
ASKED = [{"role": "user", "content": "Add water the plants to my list."}]


def write_adapter(folder: Path, *, scale: float = 0.4) -> Path:
    """A LoRA with random weights: it changes what the base model says. ``scale`` 0 leaves the base as it is."""
    torch.manual_seed(0)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(BASE_PATH, dtype=torch.float32),
        LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM"),
    )
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=scale) if scale else torch.nn.init.zeros_(parameter)
    model.save_pretrained(str(folder))
    AutoTokenizer.from_pretrained(BASE_PATH).save_pretrained(str(folder))
    return folder


@asynccontextmanager
async def client(socket: str) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.UnixConnector(path=socket, limit=0)
    async with aiohttp.ClientSession(base_url="http://studio", connector=connector) as session:
        yield session


def body(model: str = "base", **options: Any) -> dict[str, Any]:
    return {"model": model, "messages": ASKED, "temperature": 0, "max_tokens": 40, **options}


async def ask(session: aiohttp.ClientSession, model: str = "base", **options: Any) -> dict[str, Any]:
    async with session.post("/v1/chat/completions", json=body(model, **options)) as response:
        answer: dict[str, Any] = await response.json()
        assert response.status == 200, answer
        return answer


async def text(session: aiohttp.ClientSession, model: str = "base", **options: Any) -> str:
    return str((await ask(session, model, **options))["choices"][0]["message"]["content"])


async def streamed(session: aiohttp.ClientSession, model: str = "base", **options: Any) -> list[dict[str, Any]]:
    """The events of a stream, which must end as one does."""
    async with session.post("/v1/chat/completions", json=body(model, stream=True, **options)) as response:
        assert response.content_type == "text/event-stream"
        lines = (await response.text()).strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
