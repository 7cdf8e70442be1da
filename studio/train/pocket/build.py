"""Make a pocket base: grammar -> corpus -> tokenizer -> network -> a folder that transformers loads.

The model that ships was made on one thread in 38 minutes (of a busy machine, the loss compiled) from 70,000
conversations, 6.2M tokens, in 1,100 steps, with the word list of Debian's public-domain package wamerican-small
(/usr/share/dict/american-english-small): validation loss 0.976. Half of the tasks hold words that are drawn from the
list or invented, which is what a loss can do little about, and what teaches the model to copy.

Example: python -m studio.train.pocket.build OUT --words /usr/share/dict/american-english-small
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from studio.train.pocket.corpus import conversations
from studio.train.pocket.lexicon import WordList, read_words
from studio.train.pocket.model import Shape, make_model, make_tokenizer
from studio.train.pocket.training import Report, Schedule, token_blocks, train

_TELL_EVERY = 50


def build(
    folder: Path,
    *,
    count: int = 70_000,
    listed: WordList | None = None,
    shape: Shape | None = None,
    schedule: Schedule | None = None,
    seed: int = 0,
    say: bool = False,
) -> float:
    """Make a base model from ``count`` conversations in ``folder``; returns its validation loss."""
    shape, schedule = shape or Shape(), schedule or Schedule()
    torch.manual_seed(seed)
    corpus = list(conversations(count, seed, listed))
    tokenizer = make_tokenizer((message.content for messages in corpus for message in messages), shape.vocabulary)
    blocks = token_blocks(tokenizer, corpus, schedule.block)
    model = make_model(tokenizer, shape)
    if say:
        print(f"{blocks.numel() / 1e6:.2f}M tokens, {model.num_parameters() / 1e6:.2f}M parameters", flush=True)
    loss = train(model, blocks, schedule, _say if say else _nothing)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return loss


def _say(report: Report) -> None:
    if report.step % _TELL_EVERY == 0:
        print(f"step {report.step}  loss {report.loss:.3f}  {report.seconds:.0f} s", flush=True)


def _nothing(report: Report) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m studio.train.pocket.build",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="OUT", help="folder to write the model to")
    parser.add_argument("--words", type=Path, help="word list, one a line: teaches the model to copy unknown words")
    parser.add_argument("--conversations", type=int, default=70_000, help="size of the corpus (default 70000)")
    parser.add_argument("--steps", type=int, default=Schedule().steps, help=f"default {Schedule().steps}")
    parser.add_argument("--threads", type=int, default=1, help="default 1")
    parser.add_argument("--seed", type=int, default=0, help="default 0")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    loss = build(
        asked.folder,
        count=asked.conversations,
        listed=read_words(asked.words) if asked.words else None,
        schedule=Schedule(steps=asked.steps),
        seed=asked.seed,
        say=True,
    )
    print(f"validation loss {loss:.3f}: {asked.folder}")


if __name__ == "__main__":
    main()
