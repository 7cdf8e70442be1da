"""Improving against a server whose author is weak in one trait: found, written for, trained, and shown by the delta.

    python -m pytest -o addopts= tests/bench/test_improve.py

Whole commands on a tiny base model: two to seven minutes each on two shared and busy cores.
"""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

from studio.build.improve_record import improvements
from studio.store import Filter
from tests.build.improving import AUTHOR, FOR_PROBES, JUDGE, PROBES, WEAK, Teller, with_probes
from tests.build.making import Commands, Ended, until
from tests.llm.fake_server import FakeServer

TRAIN = ("--epochs", "30", "--lr", "0.005")
WANTED = 24


def options(server: FakeServer) -> tuple[str, ...]:
    return ("--endpoint", server.url, "--model", AUTHOR, "--judge-model", JUDGE, "--json")


async def trained(studio: Commands, server: FakeServer) -> None:
    """A run on what the author writes when nobody tells it of any trait."""
    made = await asyncio.to_thread(studio.run, "generate", "--examples", WANTED, *options(server))
    assert made.status == 0, made.err
    run = await asyncio.to_thread(studio.run, "train", *TRAIN, "--json")
    assert run.status == 0, run.err


async def test_a_weak_trait_is_found_written_for_and_better_by_an_interval_above_0(tmp_path: Path) -> None:
    studio = Commands(tmp_path)
    with_probes(studio)
    teller = Teller(studio.loaded.spec)
    async with FakeServer(teller, models=(AUTHOR, JUDGE)) as server:
        await trained(studio, server)
        before = studio.workspace.examples.count(Filter(status="accepted"))
        process = studio.begin("improve", "--examples", WANTED, "--rounds", 1, "--auto", *options(server))
        await asyncio.to_thread(until, lambda: teller.stressed > 4, process)
        process.send_signal(signal.SIGKILL)  # in the midst of writing
        await asyncio.to_thread(process.communicate)
        for job in studio.jobs("targeted"):
            job.kill()
        told = await asyncio.to_thread(
            studio.run, "improve", "--examples", WANTED, "--rounds", 1, "--auto", *options(server)
        )
    assert told.status == 3, told.err
    found = told.json
    (round,) = found["rounds"]
    assert round["target"]["trait"] == WEAK and round["step"] == "evaluated", found["ended"]
    causes = {one["kind"] for one in round["target"]["causes"]}
    assert "few_examples" in causes
    assert round["accepted"] == WANTED and round["accepted"] <= before, "at least half is what was there"
    delta = next(one["delta"] for one in round["deltas"] if one["name"] == f"trait:{WEAK}")
    assert delta["low"] > 0 and delta["n"] == len(PROBES) // 3
    assert {"trait:kind", "trait:specific", "overall"} <= {one["name"] for one in round["deltas"]}
    assert "--rounds" in found["ended"] or "gates pass" in found["ended"] or "no examples would help" in found["ended"]
    locked = next(one["delta"] for one in found["locked"] if one["name"] == f"trait:{WEAK}")
    assert locked["low"] > 0, "the locked third confirms it"
    assert studio.jobs("targeted") and len(improvements(studio.workspace)) == 1
    check_secret(teller)
    shown = await asyncio.to_thread(studio.run, "improve", "--history")
    assert shown.status == 0 and f"round 1: {WEAK}" in shown.out


def check_secret(teller: Teller) -> None:
    """No words of a probe in what an author was told: none of their own, and no run of three of them."""
    assert teller.stressed >= WANTED
    words = FOR_PROBES.split()
    runs = {" ".join(words[at : at + 3]) for at in range(len(words) - 2)}
    for prompt in teller.author_prompts:
        said = re.sub(r"\s+", " ", prompt)
        assert not [probe for probe in PROBES if probe in said]
        assert not [run for run in runs if run in said]


async def test_an_author_that_cannot_ends_it_and_it_says_why(tmp_path: Path) -> None:
    studio = Commands(tmp_path)
    with_probes(studio)
    async with FakeServer(Teller(studio.loaded.spec, can=False), models=(AUTHOR, JUDGE)) as server:
        await trained(studio, server)
        told = await asyncio.to_thread(studio.run, "improve", "--examples", 4, "--auto", *options(server))
    assert told.status == 3, told.err
    assert told.json["ended"].startswith(f"the author wrote nothing that shows {WEAK} (rejected: ")
    assert f"trait:{WEAK}" in told.json["ended"] and told.json["verdict"] == "", "the locked probes stay shut"


async def test_with_a_recording_it_says_that_nothing_is_left_to_play_back(tmp_path: Path) -> None:
    told: Ended = await asyncio.to_thread(Commands(tmp_path).run, "improve", "--json")
    assert told.status == 2 and "nothing left to play back" in told.json["error"]["message"]
    assert "--endpoint" in told.json["error"]["remedy"]
