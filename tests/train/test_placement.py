"""Where a run computes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from studio.train.worker.main import VISIBLE, keep_to_one_gpu
from studio.train.worker.placement import choose_placement


@pytest.mark.parametrize(
    ("gpus", "given", "kept", "told"),
    [
        (1, None, "0", ""),
        (4, None, "0", "GPU 0 alone of 4"),
        (4, "2,3", "2", "GPU 2 alone of 2"),
        (4, "GPU-5ac1", "GPU-5ac1", ""),
        (4, "", "", ""),
        (0, None, "0", ""),
    ],
)
def test_a_run_keeps_to_one_gpu_and_says_so_where_there_are_more(
    tmp_path: Path, gpus: int, given: str | None, kept: str, told: str
) -> None:
    for number in range(gpus):
        (tmp_path / f"nvidia{number}").touch()
    (tmp_path / "nvidiactl").touch()
    environ = {} if given is None else {VISIBLE: given}
    note = keep_to_one_gpu(environ, tmp_path)
    assert environ[VISIBLE] == kept and told in note and bool(note) == bool(told)


@pytest.mark.parametrize(("native", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_that_would_emulate_bfloat16_gets_float16(
    monkeypatch: pytest.MonkeyPatch, native: bool, dtype: torch.dtype
) -> None:
    def supported(including_emulation: bool = True) -> bool:
        return native or including_emulation

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert choose_placement().dtype is dtype
