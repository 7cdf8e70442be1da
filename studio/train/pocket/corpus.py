"""Conversations from the grammar: the pocket base has read nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator

from studio.chatml import Message, Messages, assistant, system, user
from studio.train.pocket.exchange import Exchange
from studio.train.pocket.lexicon import Lexicon, WordList
from studio.train.pocket.listing import WEIGHT as LISTING_WEIGHT
from studio.train.pocket.listing import ask_for_list
from studio.train.pocket.scene import Scene
from studio.train.pocket.talk_exchanges import TALK_EXCHANGES
from studio.train.pocket.task_exchanges import CREATING, TASK_EXCHANGES
from studio.train.pocket.tones import NEUTRAL_PROMPTS, TONES, Tone

_EXCHANGES: tuple[Exchange | None, ...] = (*TASK_EXCHANGES, *TALK_EXCHANGES, None)
"""``None`` stands for asking for the list."""
_WEIGHTS = [LISTING_WEIGHT if one is None else one.weight for one in _EXCHANGES]
_LENGTHS = {1: 0.45, 2: 0.30, 3: 0.15, 4: 0.10}
"""Exchanges in a conversation -> share."""
_NEUTRAL_PROMPT_SHARE = 0.25
"""Of the conversations without a tone; the others of them have no system prompt."""
_LOWER_CASE_SHARE = 0.25
_NO_FULL_STOP_SHARE = 0.20


def conversations(count: int, seed: int = 0, listed: WordList | None = None) -> Iterator[Messages]:
    """``count`` conversations, the same for the same arguments."""
    rng = random.Random(seed)
    lexicon = Lexicon(rng, listed or WordList())
    for _ in range(count):
        yield _conversation(lexicon)


def _conversation(lexicon: Lexicon) -> Messages:
    tone = _tone(lexicon.rng)
    prompt = _prompt(lexicon, tone)
    messages: list[Message] = [system(prompt)] if prompt else []
    length = lexicon.rng.choices(list(_LENGTHS), list(_LENGTHS.values()))[0]
    created: list[str] = []
    for one in lexicon.rng.choices(_EXCHANGES, _WEIGHTS, k=length):
        for asked, answered in _play(one, lexicon, created):
            messages.append(user(_typed(lexicon, asked)))
            messages.append(assistant(tone.say(lexicon, answered) if tone else answered))
    return tuple(messages)


def _play(one: Exchange | None, lexicon: Lexicon, created: list[str]) -> list[tuple[str, str]]:
    """Plays an exchange; tasks that it creates are added to ``created``."""
    if one is None:
        return ask_for_list(lexicon, created)
    scene = Scene(lexicon)
    played = one.play(lexicon, scene)
    if one in CREATING:
        created.extend(scene.tasks())
    return played


def _tone(rng: random.Random) -> Tone | None:
    neutral = 1 - sum(tone.share for tone in TONES)
    return rng.choices((None, *TONES), (neutral, *(tone.share for tone in TONES)))[0]


def _prompt(lexicon: Lexicon, tone: Tone | None) -> str:
    if tone:
        return lexicon.any(tone.prompts)
    return lexicon.any(NEUTRAL_PROMPTS) if lexicon.happens(_NEUTRAL_PROMPT_SHARE) else ""


def _typed(lexicon: Lexicon, text: str) -> str:
    """As people type: sometimes all in lower case, sometimes without the full stop."""
    if lexicon.happens(_LOWER_CASE_SHARE):
        text = text.lower()
    return text.rstrip(".") if lexicon.happens(_NO_FULL_STOP_SHARE) else text
