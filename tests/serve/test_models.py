"""The proof must fail when it should: an adapter that does nothing, a base that is not the base."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.errors import UserError
from studio.serve.worker.batching import Asked, Part, Row
from studio.serve.worker.engine import Engine
from studio.serve.worker.models import Served, load, prove
from tests.serve.making import ASKED, BASE_PATH, write_adapter


def test_an_adapter_that_changes_nothing_is_not_proven(tmp_path: Path) -> None:
    proof = load(BASE_PATH, str(write_adapter(tmp_path, scale=0))).proof
    assert proof is not None and proof.delta_on_off == 0 and not proof.proven


def test_a_base_pane_that_is_not_the_base_is_not_proven() -> None:
    plain = torch.zeros(2, 3, 5)
    mixed = torch.stack((plain[0] + 0.1, plain[0] + 1))
    assert not prove(plain, mixed).proven


def test_an_adapter_of_another_model_is_a_users_error(tmp_path: Path) -> None:
    write_adapter(tmp_path)
    config = tmp_path / "adapter_config.json"
    config.write_text(config.read_text().replace('"r": 4', '"r": 8'))
    with pytest.raises(UserError, match="does not fit"):
        load(BASE_PATH, str(tmp_path))


def said(served: Served, side: str = "base") -> str:
    prompt = served.tokenizer.apply_chat_template(ASKED, add_generation_prompt=True, return_dict=False)
    parts: list[Part] = []
    Engine(served).run([Row(Asked(side, list(prompt), 40, temperature=0), parts.append)])
    return "".join(part.text for part in parts)


@pytest.mark.parametrize(
    "suggested", [{"repetition_penalty": 1.3}, {"min_new_tokens": 30}, {"no_repeat_ngram_size": 2}, {"num_beams": 2}]
)
def test_what_a_base_model_suggests_for_generating_changes_no_reply(tmp_path: Path, suggested: dict[str, Any]) -> None:
    shutil.copytree(BASE_PATH, tmp_path / "base")
    config = tmp_path / "base" / "generation_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | suggested))
    served = load(str(tmp_path / "base"), None)
    assert said(served) == said(load(BASE_PATH, None))
    assert served.ends, "the end tokens are kept"


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_a_base_model_for_qlora_is_served_in_four_bits_with_its_proof(tmp_path: Path) -> None:
    served = load(BASE_PATH, str(write_adapter(tmp_path)), "qlora")
    assert served.model.get_base_model().is_loaded_in_4bit
    assert served.proof and served.proof.proven
    assert said(served, "tuned") != said(served, "base")


def test_four_bits_without_their_library_are_a_users_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.train.worker.loading.find_spec", lambda name: None)
    with pytest.raises(UserError, match="qlora needs bitsandbytes"):
        load(BASE_PATH, None, "qlora")
