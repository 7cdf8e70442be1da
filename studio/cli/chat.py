"""``studio chat``: one question to base and tuned, or a conversation with both."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

import typer

from studio.chatml import Messages, assistant, system, user
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, SpecFile, WorkspaceFolder
from studio.cli.output import out, say, say_json, tell
from studio.cli.run import open_session
from studio.cli.stages import RunId, chosen_run
from studio.evaluate.job import serve_params
from studio.jobs import active
from studio.llm import ModelSettings, OpenAIModel
from studio.llm.types import ChatModel, Request, Sampling
from studio.serve import BASE, TUNED, ServeReady, ensure

Text = Annotated[str | None, typer.Option("--message", "-m", metavar="TEXT", help="One question; else lines of stdin.")]


def chat(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    message: Text = None,
    run: RunId = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens a reply may take.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Ask base and tuned the same thing. Without --message it reads a line a turn, until the end of input.

    Example: studio chat specs/taskmaster.yaml -m "I just finished the garden plan"
    """
    with open_session(spec, workspace) as session:
        params = serve_params(session.workspace, chosen_run(session, run), session.loaded)
        was_serving = active(session.workspace.jobs_dir, "serve") is not None
        tell("loading the base model and the adapter")
        try:
            with asyncio.Runner() as runner:
                _, ready = runner.run(ensure(session.workspace.jobs_dir, params))
                turns = [message] if message else _lines()
                _talk(runner, turns, ready, session.loaded.spec.deployment.system_prompt, max_tokens, as_json)
        finally:
            job = active(session.workspace.jobs_dir, "serve")
            if job and not was_serving:
                job.stop()


def _lines() -> Iterator[str]:
    if sys.stdin.isatty():
        tell("One line a turn; ctrl+d ends.")
    return (stripped for line in sys.stdin if (stripped := line.strip()))


def _talk(
    runner: asyncio.Runner,
    turns: Iterable[str],
    ready: ServeReady,
    prompt: str | None,
    max_tokens: int,
    as_json: bool,
) -> None:
    """Lines are read outside of the loop, where ctrl+c ends the reading at once."""
    settings = ModelSettings(endpoint="http://studio/v1", uds=ready.socket)
    models = {name: OpenAIModel(settings, name) for name in (BASE, TUNED)}
    start: Messages = (system(prompt),) if prompt else ()
    said = dict.fromkeys(models, start)
    try:
        for turn in turns:
            said = {name: (*messages, user(turn)) for name, messages in said.items()}
            replies = runner.run(_replies(models, said, max_tokens))
            said = {name: (*said[name], assistant(replies[name])) for name in models}
            _show(turn, replies, ready, as_json)
    finally:
        for model in models.values():
            runner.run(model.close())


async def _replies(models: Mapping[str, ChatModel], said: Mapping[str, Messages], max_tokens: int) -> dict[str, str]:
    replies = await asyncio.gather(*(_reply(models[name], said[name], max_tokens) for name in models))
    return dict(zip(models, replies, strict=True))


async def _reply(model: ChatModel, messages: Messages, max_tokens: int) -> str:
    request = Request(purpose="chat", messages=messages, sampling=Sampling(max_tokens=max_tokens))
    return (await model.complete(request)).text


def _show(turn: str, replies: dict[str, str], ready: ServeReady, as_json: bool) -> None:
    if as_json:
        proven = ready.proof.proven if ready.proof else None
        say_json({"user": turn, **replies, "base_proven": proven})
        return
    out.rule()
    say(f"you    {turn}")
    for name, reply in replies.items():
        say(f"{name:<6} {reply}")
