"""The proof must fail when it should: an adapter that does nothing, a base that is not the base."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from studio.errors import UserError
from studio.serve.worker.models import load, prove
from tests.serve.making import BASE_PATH, write_adapter


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
