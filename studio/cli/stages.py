"""``studio build``: all stages, headless."""

from __future__ import annotations

import asyncio
from typing import Any

from studio.build import Built, Session, build
from studio.build.authors import Roles, roles
from studio.cli import options
from studio.cli.display import show
from studio.cli.evaluate import GATES_FAILED, print_gates, print_verdict
from studio.cli.generate import counts
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import say, say_json, tell_prose
from studio.cli.status import tell_next
from studio.doctor import environment
from studio.evaluate import Interval
from studio.evaluate.types import SideMetrics
from studio.files import as_seen
from studio.judge import LEARNED, judge_agreement, open_judge
from studio.llm import ModelSettings


@asks_models()
def build_command(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    settings: ModelSettings = OFFLINE,
    base: options.Base = None,
    examples: options.Examples = None,
    method: options.TrainMethod = None,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> int:
    """Run every stage that is not done yet, from the spec to a verified package.

    Interrupted anywhere and started again, it goes on where it was. Exit status: 0 all gates passed,
    3 some did not, 2 bad input.

    Example: studio build specs/taskmaster.yaml --json
    """
    more: dict[str, Any] = {"base": base, "examples": examples, "seed": seed, "recipe": {"method": method}}
    with open_session(spec, workspace, settings, **more) as session:
        at_work = _roles(session).model_dump()
        found = environment(settings, base=session.base_model, folder=session.root, **at_work)
        tell_prose(f"Persona Studio: {session.loaded.spec.name} on {found.status_line}")
        built = show(build, session)
        summary = _summary(session, built)
        tell_next(session)
    if as_json:
        say_json(summary)
    else:
        print_verdict(built.evaluation)
        print_gates(built.evaluation.gates)
        proven = "verified" if built.package.verification.verified else "NOT verified"
        say(f"package ({proven}): {as_seen(built.package.path)}")
    return 0 if built.evaluation.passed else GATES_FAILED


def _roles(session: Session) -> Roles:
    """Who writes and who judges; the agreement of a learned judge is measured where it is not known yet."""
    found = roles(session.settings, session.loaded)
    if found.judge == LEARNED and found.agreement is None:
        tell_prose("Learning a judge from the labels and measuring it on others, once: half a minute.")
        asyncio.run(
            judge_agreement(session.loaded, open_judge(session.settings, session.loaded, session.workspace.examples))
        )
        found = roles(session.settings, session.loaded)
    return found


def _summary(session: Session, built: Built) -> dict[str, Any]:
    """What the build came to, for scripts. ``agreement`` is the judge's kappa by trait; empty where not measured."""
    evaluation, finished = built.evaluation, built.run.finished
    assert finished is not None, "only a finished run is evaluated"
    return {
        "spec": {"name": session.loaded.spec.name, "hash": session.loaded.hash},
        **counts(session),
        "run": {"id": built.run.plan.run_id} | finished.model_dump(include={"steps", "loss", "seconds"}),
        "evaluation": {
            "judge": evaluation.judge.model_dump(include={"name", "agreement"}),
            "verdict": evaluation.verdict,
            "scope": evaluation.scope,
            "looks": evaluation.looks,
            "base": _side(evaluation.base),
            "tuned": _side(evaluation.tuned),
            "win_rate": _value(evaluation.win_rate),
            "beats_prompt": _value(evaluation.beats_prompt),
        },
        "gates": [gate.model_dump(include={"name", "target", "value", "status"}) for gate in evaluation.gates],
        "package": {"path": built.package.path, "verified": built.package.verification.verified},
    }


def _side(side: SideMetrics) -> dict[str, Any]:
    return {
        "overall": _value(side.overall),
        "traits": {name: mean.value for name, mean in side.traits.items()},
        "violations": _value(side.violations),
        "latency_s": side.latency_s,
    }


def _value(found: Interval | None) -> float | None:
    return found.value if found else None
