"""Judging an edit at once: by the judge there is, which offline is the rules and what was learned from labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.judge import open_judge
from studio.spec import LoadedSpec
from studio.store import Judgement, Workspace

if TYPE_CHECKING:
    from studio.llm import ModelSettings


async def judge_edit(
    loaded: LoadedSpec, workspace: Workspace, settings: ModelSettings, example_id: str
) -> Judgement | None:
    """Judge an example as it stands and keep that; None where its text is judged already, or there is no such one.

    The person's decision goes on standing. A call that failed is kept as an error, unscored.
    """
    row = workspace.examples.row(example_id)
    if row is None or (row.judged and row.judgement is not None and row.judgement.verdict != "error"):
        return None
    judge = open_judge(settings, loaded, workspace.examples)
    try:
        judgement = await judge.score(row.messages, row.example.scenario, rules_first=False)
    finally:
        await judge.close()
    workspace.examples.add_judgement(example_id, judgement)
    return judgement
