"""How many examples, epochs and what learning rate the pocket base takes. On demand: it trains for minutes.

Example: python -m tests.bench.pocket_preset --examples 360 720 --epochs 6 --rate 2e-3 3e-3

Measured on TaskMaster with the rules judge, on one thread. Kept is the share of requests whose words are all in the
reply: over the spec's task probes, and over more with words that no example holds. The base alone keeps 81 % of all,
and scores 2.3.

    examples  epochs  rate   CPU s  loss   kept, in-domain  kept, unseen words  kept, all  score
    360       8       2e-3   75     0.231  94 %             86 %                84 %       8.4
    720       4       2e-3   74     0.296  94 %             90 %                89 %       8.4
    720       6       2e-3   112    0.202  94 %             90 %                88 %       8.7
    720       6       3e-3   107    0.162  100 %            92 %                91 %       8.9    the preset

An earlier base, in whose corpus no word was invented, kept 38 % alone; tuned at 4e-3 over 8 epochs it kept 47 % with
200 examples and 67 % with 360.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import torch
from studio.evaluate.keeping import keeps

from studio.chatml import Messages, assistant, last_request, user
from studio.evaluate.probes import probes
from studio.generate import GenerateParams, generate
from studio.judge import open_judge
from studio.llm import ModelSettings
from studio.serve.types import BASE, TUNED
from studio.serve.worker.engine import Engine
from studio.serve.worker.models import Served, load
from studio.serve.worker.rows import Asked, Part, Row
from studio.spec import LoadedSpec
from studio.spec import load as load_spec
from studio.store import Workspace
from studio.train import POCKET, preset_for, resolve_base
from studio.train.types import Recipe, TrainPlan
from studio.train.worker.run import Control, train
from studio.triage import export_chatml

SPEC = Path("specs/taskmaster.yaml")
MAX_TOKENS = 160
BATCH = 16
# Tasks and things that are in no spec and in no grammar; with the spec's probes they make the sample large enough.
TASKS = (
    "paint the fence|call the plumber|translate the menu|order the ferry tickets|tune the guitar|rent a tuxedo|"
    "knit the scarf|oil the hinges|rewire the lamp|visit aunt Greta|bake the rye bread|weed the flower bed"
).split("|")
THINGS = (
    "the museum brochure|the harvest calendar|the opera libretto|the lighthouse survey|the puppet stage|the bee log"
).split("|")
TEMPLATES = (
    "Remind me to [{task}] at [8 am].",
    "Add '[{task}]' to my list.",
    "I need to [{task}] by [Thursday].",
    "Mark '[{task}]' as done.",
    "Move '[{task}]' to [the 21st].",
    "Remove '[{task}]' from my list.",
    "I finished [{thing}].",
    "I'm stuck on [{thing}].",
)


class Asking(NamedTuple):
    group: str
    messages: Messages
    keep: tuple[str, ...]


class Score(NamedTuple):
    """``kept`` is the share of replies with the request's words, ``judged`` the rules judge's mean, 0..10."""

    kept: float
    judged: float


def questions(loaded: LoadedSpec) -> list[Asking]:
    """The spec's own probes, and requests with tasks that nothing here has ever named."""
    own = [Asking(probe.category, probe.messages, probe.keep) for probe in probes(loaded)]
    extra = []
    for template in TEMPLATES:
        slot = "task" if "{task}" in template else "thing"
        for phrase in TASKS if slot == "task" else THINGS:
            text = template.format(**{slot: phrase})
            marked = tuple(part.split("]")[0] for part in text.split("[")[1:])
            plain = text.replace("[", "").replace("]", "")
            extra.append(Asking("unseen words", (user(plain),), marked))
    return own + extra


def replies(served: Served, model: str, asked: Sequence[Asking]) -> list[str]:
    """Greedy, in batches."""
    engine, said = Engine(served), [""] * len(asked)

    def hear(index: int, part: Part) -> None:
        said[index] += part.text

    rows = []
    for index, one in enumerate(asked):
        turns = [message.model_dump() for message in one.messages]
        ids = served.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=True, return_dict=False)
        row = Asked(model, list(ids), MAX_TOKENS, temperature=0)
        rows.append(Row(row, lambda part, index=index: hear(index, part)))  # type: ignore[misc]
    for start in range(0, len(rows), BATCH):
        engine.run(rows[start : start + BATCH])
    return said


async def scores(loaded: LoadedSpec, asked: Sequence[Asking], said: Sequence[str]) -> dict[str, Score]:
    """By group of questions, and over all of them."""
    judge = open_judge(ModelSettings(), loaded)
    totals = [
        (await judge.score((*one.messages, assistant(reply)), rules_first=False)).total or 0.0
        for one, reply in zip(asked, said, strict=True)
    ]
    kept = [keeps(reply, one.keep, last_request(one.messages)) for one, reply in zip(asked, said, strict=True)]
    return {
        group: _score([at for at, one in enumerate(asked) if group in (one.group, "all")], kept, totals)
        for group in (*dict.fromkeys(one.group for one in asked), "all")
    }


def _score(places: list[int], kept: list[bool | None], totals: list[float]) -> Score:
    measured = [bool(kept[at]) for at in places if kept[at] is not None]
    return Score(
        kept=statistics.mean(measured) if measured else float("nan"),
        judged=statistics.mean(totals[at] for at in places),
    )


def examples(loaded: LoadedSpec, count: int, root: Path) -> Path:
    """The export of ``count`` accepted examples by the offline author."""
    workspace = Workspace.open(root / f"{count}", loaded.spec.slug)
    params = GenerateParams(
        spec_path=str(SPEC), workspace=str(root / f"{count}"), settings=ModelSettings(), examples=count
    )

    async def make() -> None:
        async for _ in generate(loaded, workspace, params, lambda: False):
            pass

    asyncio.run(make())
    return export_chatml(workspace, loaded).path


def run(base: str, data: Path, recipe: Recipe, folder: Path) -> tuple[Path, float, float]:
    """Adapter folder, seconds of training and loss."""
    count = len(data.read_text().splitlines())
    plan = TrainPlan(
        run_id="bench",
        base_model=POCKET,
        base_path=base,
        recipe=recipe,
        spec_hash="",
        data_path=str(data),
        data_hash="",
        examples=count,
        steps=recipe.steps(count),
        fingerprint="",
        created=datetime.now(UTC),
    )
    began = time.process_time()
    finished = train(plan, folder, Control(lambda event: None))
    return Path(finished.adapter_path), time.process_time() - began, finished.loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    recipe = preset_for(POCKET).recipe
    parser.add_argument("--examples", type=int, nargs="+", default=[preset_for(POCKET).examples])
    parser.add_argument("--epochs", type=float, nargs="+", default=[recipe.epochs])
    parser.add_argument("--rate", type=float, nargs="+", default=[recipe.learning_rate])
    parser.add_argument("--base", default=POCKET, help="a folder instead of the pocket base that ships")
    parser.add_argument("--data", type=Path, help="a ChatML file instead of new examples")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=JSON", help="other fields of the recipe")
    parser.add_argument("--show", action="store_true", help="print the replies")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    base = resolve_base(asked.base)
    loaded, others = load_spec(SPEC), {key: json.loads(value) for key, value in (one.split("=") for one in asked.set)}
    asking = questions(loaded)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for count, epochs, rate in itertools.product(asked.examples, asked.epochs, asked.rate):
            chosen = recipe.model_copy(update={"epochs": epochs, "learning_rate": rate, **others})
            adapter, seconds, loss = run(
                base, asked.data or examples(loaded, count, root), chosen, root / f"{count}-{epochs}-{rate}"
            )
            served = load(base, str(adapter))
            for side in (BASE, TUNED):
                said = replies(served, side, asking)
                if asked.show and side == TUNED:
                    for one, reply in zip(asking, said, strict=True):
                        asks = last_request(one.messages)
                        print(f"{one.group} | {asks} | {keeps(reply, one.keep, asks)} | {reply}")
                found = asyncio.run(scores(loaded, asking, said))
                told = "  ".join(f"{group}: {score.kept:.0%} {score.judged:.1f}" for group, score in found.items())
                print(f"{side} n={count} epochs={epochs:g} lr={rate:g} {seconds:.0f} CPU-s loss={loss:.3f}  {told}")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
