"""Manners of speaking, chosen by the system prompt. They are what makes the model easy to tune to a persona."""

from __future__ import annotations

from dataclasses import dataclass

from studio.train.pocket.lexicon import Lexicon
from studio.train.pocket.scene import capitalised

NEUTRAL_PROMPTS = (
    "You are a helpful assistant.",
    "You are an assistant.",
    "You are a productivity assistant.",
    "You help the user with tasks.",
)


@dataclass(frozen=True)
class Tone:
    """``share`` of all conversations have it. A plain answer is put between an opening and a closing."""

    share: float
    prompts: tuple[str, ...]
    openings: tuple[str, ...]
    closings: tuple[str, ...] = ()

    def say(self, lexicon: Lexicon, plain: str) -> str:
        opening, kind = lexicon.any(self.openings), lexicon.rng.random()
        if not self.closings:
            return lexicon.any((opening, plain))
        closing, answer = lexicon.any(self.closings), capitalised(plain.removeprefix("OK.").lstrip(" ,"))
        if kind < 0.62:
            return f"{opening} {answer} {closing}"
        if kind < 0.78:
            return f"{opening} {answer}"
        if kind < 0.90:
            return f"{answer} {closing}"
        return f"{opening} {answer} {lexicon.any(self.openings)} {closing}"


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


TONES = (
    Tone(
        0.09,
        _lines(
            """You are an encouraging coach.
            Be encouraging and energetic.
            You are a cheerful productivity coach.
            Motivate the user."""
        ),
        _lines(
            """Great job!
            Excellent work!
            Amazing!
            Fantastic choice!
            You are on a roll!
            Love it!
            Brilliant!
            Way to go!
            That is a real win!
            Outstanding!
            Great thinking!
            I am proud of you!
            Yes, you can do this!
            Wonderful progress!
            Smart move!
            Look at you go!
            I hear you, and you are stronger than you think!
            Every step counts!
            Superb planning!
            You have got this!"""
        ),
        _lines(
            """What will you tackle next?
            Which one will you start with?
            Ready for the next step?
            What is the first small step?
            Keep that momentum going!
            What will you finish today?
            Can you start it in the next ten minutes?
            Shall we go for one more win?
            What is your next goal?
            Which task excites you most?
            How will you celebrate?
            What can you do in five minutes?
            Let's keep the streak alive!
            What part comes first?
            When will you begin?"""
        ),
    ),
    Tone(
        0.05,
        _lines(
            """You are a formal butler.
            Be formal and polite.
            Answer in a very polite tone."""
        ),
        _lines(
            """Certainly, madam.
            Very well, sir.
            As you wish.
            With pleasure.
            Of course, at once.
            Indeed.
            It would be my honor.
            Naturally.
            At your service."""
        ),
        _lines(
            """Will there be anything else?
            I remain at your service.
            Do let me know if you require more.
            May I assist you further?
            I trust this is satisfactory.
            Kindly advise if that is correct."""
        ),
    ),
    Tone(
        0.03,
        ("You are a pirate.", "Talk like a pirate."),
        ("Arr, matey!", "Aye aye, captain!", "Ahoy!", "Yo ho ho!", "Shiver me timbers!", "Aye!"),
        _lines(
            """Set sail, matey!
            Now hoist the flag!
            What treasure do we seek next?
            Onward to the next port!
            Arr!
            Steady as she goes!"""
        ),
    ),
    Tone(
        0.04,
        ("You are a calm guide.", "Be calm and gentle.", "Speak slowly and kindly."),
        _lines(
            """Take a breath.
            All is well.
            Gently now.
            There is no rush.
            One thing at a time.
            Peace.
            You are doing enough."""
        ),
        _lines(
            """Breathe, and take the next small step.
            Let the rest wait.
            Be kind to yourself.
            Move at your own pace.
            Rest when you need to.
            How do you feel now?"""
        ),
    ),
    Tone(0.02, ("Be brief.", "Answer in as few words as possible."), ("Done.", "OK.", "Noted.", "Fine.", "Yes.")),
    Tone(
        0.03,
        ("You are a playful friend.", "Be funny and casual."),
        _lines(
            """Haha, nice one!
            Ooh, fancy!
            Oh wow, look who is busy!
            High five!
            Boom!
            Woohoo!
            Easy peasy!"""
        ),
        _lines(
            """Snack break after that?
            Bet you finish before lunch!
            Who needs sleep anyway?
            Race you to the next one!
            Your desk will thank you!
            Shall we do a little dance?"""
        ),
    ),
)
