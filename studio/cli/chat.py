"""``studio chat``: one question to base and tuned, or a conversation with both."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Annotated

import typer

from studio.chatml import Messages, assistant, user
from studio.cli.evaluate import chosen_run
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, RunId, SpecFile, WorkspaceFolder, open_session
from studio.cli.output import out, say, say_json, tell
from studio.llm import ChatModel, Request, Sampling
from studio.serve import BASE, TUNED, ServeReady, ensure, open_model, run_params

PROMPT, QUIT = "> ", "/quit"
Text = Annotated[str | None, typer.Option("--message", "-m", metavar="TEXT", help="One question; else lines of stdin.")]


def chat(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    message: Text = None,
    run: RunId = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens a reply may take.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Ask base and tuned the same thing. Without --message it reads a line a turn, until the end of input, or /quit.

    Example: studio chat specs/taskmaster.yaml -m "I just finished the garden plan"
    """
    with open_session(spec, workspace) as session, asyncio.Runner() as runner:
        params = run_params(chosen_run(session, run))
        tell("loading the base model and the adapter")
        with runner.run(ensure(session.workspace.jobs_dir, params)) as server:
            _talk(runner, [message] if message else lines(), server.ready, max_tokens, as_json)


def lines() -> Iterator[str]:
    """What is said, a line a turn: asked for on a terminal, else all that comes on stdin."""
    asked = _typed() if sys.stdin.isatty() and sys.stdout.isatty() else sys.stdin
    return (stripped for line in asked if (stripped := line.strip()))


def _typed() -> Iterator[str]:
    with suppress(ImportError):  # lets a line be edited and one before it be taken again
        import readline  # noqa: F401
    tell("ready: one line a turn; /quit or ctrl+d ends")
    while True:
        try:
            line = input(PROMPT)
        except EOFError:
            say("")
            return
        if line.strip() == QUIT:
            return
        yield line


def _talk(runner: asyncio.Runner, turns: Iterable[str], ready: ServeReady, max_tokens: int, as_json: bool) -> None:
    """Lines are read outside of the loop, where ctrl+c ends the reading at once."""
    models = {name: open_model(ready, name) for name in (BASE, TUNED)}
    said: dict[str, Messages] = dict.fromkeys(models, ())
    try:
        for turn in turns:
            said = {name: (*messages, user(turn)) for name, messages in said.items()}
            replies = runner.run(_replies(models, said, max_tokens))
            said = {name: (*said[name], assistant(replies[name])) for name in models}
            if as_json:
                say_json({"user": turn, **replies, "base_proven": ready.proof.proven if ready.proof else None})
                continue
            out.rule()
            say(f"you    {turn}")
            for name, reply in replies.items():
                say(f"{name:<6} {reply}")
    finally:
        for model in models.values():
            runner.run(model.close())


async def _replies(models: Mapping[str, ChatModel], said: Mapping[str, Messages], max_tokens: int) -> dict[str, str]:
    async def reply(name: str) -> tuple[str, str]:
        request = Request(purpose="chat", messages=said[name], sampling=Sampling(max_tokens=max_tokens))
        return name, (await models[name].complete(request)).text

    return dict(await asyncio.gather(*map(reply, models)))
