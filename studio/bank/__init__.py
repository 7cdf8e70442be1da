"""Who talks to the persona: people from the spec's profiles and from built-in components."""

from studio.bank.people import build, person_text
from studio.bank.profiles import people_of
from studio.bank.source import Heads, PeopleSource, heads, people_source
from studio.bank.types import MOST_BUILT, BankEvent, BankFinished, BankParams, BankStarted, PersonAdded

__all__ = [
    "MOST_BUILT",
    "BankEvent",
    "BankFinished",
    "BankParams",
    "BankStarted",
    "Heads",
    "PeopleSource",
    "PersonAdded",
    "build",
    "heads",
    "people_of",
    "people_source",
    "person_text",
]
