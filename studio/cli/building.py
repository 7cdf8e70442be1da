"""``studio build``: all stages, headless."""

from __future__ import annotations

import asyncio

from studio.build import BuildEnded, Session, build
from studio.build.authors import Roles, roles
from studio.cli.options import (
    DEFAULT_SPEC,
    WORKSPACE,
    AsJson,
    Author,
    Base,
    Endpoint,
    Examples,
    JudgeModel,
    Model,
    Seed,
    SpecFile,
    TrainMethod,
    WorkspaceFolder,
)
from studio.cli.output import err, say, say_json, say_prose
from studio.cli.run import open_session, show
from studio.cli.scores import print_gates, print_verdict
from studio.doctor import environment
from studio.files import as_seen
from studio.judge import LEARNED, judge_agreement, open_judge

GATES_FAILED = 3


def build_command(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    author: Author = None,
    base: Base = None,
    examples: Examples = None,
    method: TrainMethod = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> int:
    """Run every stage that is not done yet, from the spec to a verified package.

    Interrupted anywhere and started again, it goes on where it was. Exit status: 0 all gates passed,
    3 some did not, 2 bad input.

    Example: studio build specs/taskmaster.yaml --json
    """
    with open_session(
        spec,
        workspace,
        endpoint=endpoint,
        model=model,
        judge_model=judge_model,
        author=author,
        base=base,
        examples=examples,
        seed=seed,
        recipe={"method": method},
    ) as session:
        at_work = _roles(session)
        found = environment(session.settings, base=session.base_model, folder=session.root, **at_work.model_dump())
        say_prose(f"Persona Studio: {session.loaded.spec.name} on {found.status_line}", err)
        ended = show(build(session))
    assert ended is not None, "a build that ends without an error says what it came to"
    if as_json:
        say_json(ended.summary)
    else:
        print_end(ended)
    return 0 if ended.summary.passed else GATES_FAILED


def _roles(session: Session) -> Roles:
    """Who writes and who judges; the agreement of a learned judge is measured where it is not known yet."""
    found = roles(session.settings, session.loaded)
    if found.judge == LEARNED and found.agreement is None:
        say_prose("Learning a judge from the labels and measuring it on others, once: half a minute.", err)
        asyncio.run(judge_agreement(session.loaded, open_judge(session.settings, session.loaded)))
        found = roles(session.settings, session.loaded)
    return found


def print_end(ended: BuildEnded) -> None:
    """The gates, and where the package is."""
    print_verdict(ended.evaluation)
    print_gates(ended.evaluation.gates)
    package = ended.summary.package
    say(f"package ({'verified' if package.verified else 'NOT verified'}): {as_seen(package.path)}")
