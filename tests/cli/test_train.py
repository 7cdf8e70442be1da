"""``studio train --from-signals``: a run on another one's adapter, from the shell to the package's door."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from studio.chatml import assistant, user
from studio.store import ChatVote, Workspace
from studio.train import find_run
from studio.train.run import ADAPTER
from studio.triage import Triage
from tests.cli.making import SPEC, Studio
from tests.store.making import NOW, example, judgement
from tests.tiny_model import tiny_base


@pytest.fixture
def studio(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Studio:
    made = Studio(tmp_path, capfd)
    made.spec.write_text(SPEC + f"deployment: {{base_model: {tiny_base()}}}\n", encoding="utf-8")
    return made


def fill(workspace: Workspace, spec_hash: str, accepted: int, votes: int = 0, rejected: int = 0) -> None:
    for number in range(accepted + rejected):
        said, reply = f"Boat {number} calls on {number * 7}?", f"Harbour here, boat {number}: berth {number * 3}."
        one = example(f"ex-{number}", said=said, reply=reply, spec_hash=spec_hash)
        workspace.examples.add_example(one, judgement(spec_hash=spec_hash))
        if number >= accepted:
            Triage(workspace).reject(f"ex-{number}", "tone")
    for number in range(votes):
        asked = user(f"Is berth {number} free at {number * 5}?")
        sides = {
            "base_messages": (asked, assistant("No.")),
            "tuned_messages": (asked, assistant(f"Berth {number} is.")),
        }
        vote = ChatVote(id=f"vote-{number}", run_id="run", choice="tuned", at=NOW, **sides)
        workspace.documents.put("votes", vote.id, vote)


def test_sft_then_dpo_then_kto_each_on_the_one_before_and_a_blend_of_two(studio: Studio) -> None:
    with closing(studio.workspace()) as workspace:
        fill(workspace, studio.loaded.hash, accepted=20, votes=52)
    where = ("--workspace", studio.root, "--batch-size", 8)
    none = studio("train", studio.spec, *where, "--from-signals", "dpo")
    assert none.status == 2 and "no finished run to go on from" in none.err
    sft = studio("train", studio.spec, *where, "--rank", 4, "--epochs", 1, "--json")
    assert sft.status == 0, sft.err
    first = sft.json["plan"]["run_id"]

    planned = studio("train", studio.spec, *where, "--from-signals", "dpo", "--plan")
    assert f"from    {first}, which it is held to" in planned.lines
    assert "data    52 pairs (52 vote)" in planned.lines and "dpo beta 0.1, sft loss x 1" in planned.out
    dpo = studio("train", studio.spec, *where, "--from-signals", "dpo", "--lr", 1e-3, "--json").json
    plan, finished = dpo["plan"], dpo["finished"]
    assert (plan["objective"], plan["parents"], plan["signals"]) == ("dpo", [first], {"vote": 52})
    assert finished["weights_before"] != finished["weights_after"] and finished["sft_loss"] > 0
    again = studio("train", studio.spec, *where, "--from-signals", "dpo", "--lr", 1e-3, "--json").json
    assert again["finished"] == finished, "done already"

    kto = studio(
        "train", studio.spec, *where, "--from-signals", "kto", "--run", plan["run_id"], "--lr", 1e-3, "--epochs", 1
    )
    assert kto.status == 0, kto.err
    with closing(studio.workspace()) as workspace:
        newest = find_run(workspace, kto.out.split()[1].rstrip(":"))
        assert newest.plan.parents == (plan["run_id"],) and newest.plan.signals == {"desirable": 72, "undesirable": 52}
        assert newest.plan.preference and 1 <= 72 / (52 * newest.plan.preference.undesirable_weight) <= 4 / 3
        assert (workspace.runs_dir / newest.plan.run_id / ADAPTER / "adapter_model.safetensors").is_file()
        assert (workspace.runs_dir / newest.plan.run_id / "spec").is_dir(), "a package names the spec that it was by"

    blend = ("train", studio.spec, "--workspace", studio.root, "--blend", first, "--blend")
    made = studio(*blend, f"{plan['run_id']}:0.25", "--json")
    assert made.status == 0, made.err
    plan, finished = made.json["plan"], made.json["finished"]
    assert (plan["objective"], plan["parents"], plan["recipe"]["rank"]) == ("blend", [first, dpo["plan"]["run_id"]], 8)
    assert Path(finished["adapter_path"], "adapter_model.safetensors").is_file() and finished["sft_loss"] > 0
    none = studio(*blend, "run-none:1")
    assert none.status == 2 and "no such run" in none.err
    one = studio(*blend[:-1])
    assert one.status == 2 and "a blend takes two runs or more" in one.err


def test_a_logger_that_is_not_installed_is_named_before_anything_starts(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(studio.workspace()) as workspace:
        fill(workspace, studio.loaded.hash, accepted=4)
    monkeypatch.setattr("studio.train.planning.find_spec", lambda name: None)
    for name in ("tensorboard", "trackio"):
        ended = studio("train", studio.spec, "--workspace", studio.root, "--log-to", name)
        assert ended.status == 2 and f"{name} is not installed (pip install {name})" in ended.err


def test_a_plan_tells_of_memory_and_the_mask_shows_what_is_learned(studio: Studio) -> None:
    with closing(studio.workspace()) as workspace:
        fill(workspace, studio.loaded.hash, accepted=4)
    where = (studio.spec, "--workspace", studio.root)
    planned = studio("train", *where, "--plan", "--target-modules", "all-linear", "--patience", 2)
    assert planned.status == 0, planned.err
    assert any(line.startswith("memory  about 0.") for line in planned.lines)
    assert "rank    up to 256 is within the spec's limit for the adapter" in planned.lines
    shown = studio("train", *where, "--preview-mask", "1")
    assert shown.status == 0, shown.err
    assert "[[Harbour here, boat " in shown.out and "<|im_end|>]]" in shown.out and "4 are trained on" in shown.lines
    assert len(studio("train", *where, "--preview-mask", "--json").json["rows"]) == 3, "without a number"
    wrong = studio("train", *where, "--plan", "--target-modules", "knees", "--json")
    assert wrong.status == 0, "what a base model lacks is known when it is loaded"


def test_too_few_signals_are_refused_with_what_is_missing_and_where_it_comes_from(studio: Studio) -> None:
    with closing(studio.workspace()) as workspace:
        fill(workspace, studio.loaded.hash, accepted=44, votes=2, rejected=3)
    where = ("--workspace", studio.root)
    assert studio("train", studio.spec, *where, "--rank", 2, "--epochs", 0.2).status == 0
    dpo = studio("train", studio.spec, *where, "--from-signals", "dpo")
    assert dpo.status == 2 and "DPO needs 50 pairs, and there are 2: 48 missing" in dpo.err
    assert "vote between two replies in chat" in dpo.err
    kto = studio("train", studio.spec, *where, "--from-signals", "kto")
    assert kto.status == 2 and "there are 46 desirable and 5 undesirable: 5 more undesirable ones" in kto.err
    wrong = studio("train", studio.spec, *where, "--from-signals", "kto", "--rank", 8)
    assert wrong.status == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--run", "run-1"), "--run goes with --from-signals"),
        (("--people-only",), "--people-only goes with --from-signals"),
        (("--from-signals", "dpo", "--snapshot", "data-1"), "leave out --snapshot"),
    ],
)
def test_options_that_do_not_go_together_are_refused(studio: Studio, options: tuple[str, ...], told: str) -> None:
    ended = studio("train", studio.spec, "--workspace", studio.root, *options)
    assert ended.status == 2 and told in ended.err
