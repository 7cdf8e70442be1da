"""Who talks to the persona: people from the spec's profiles and from built-in components."""

from studio.bank.people import build, person_text
from studio.bank.profiles import people_of
from studio.bank.source import PeopleSource, people_source
from studio.bank.types import BankEvent, BankFinished, BankParams, BankStarted, PersonAdded

__all__ = [
    "BankEvent",
    "BankFinished",
    "BankParams",
    "BankStarted",
    "PeopleSource",
    "PersonAdded",
    "build",
    "people_of",
    "people_source",
    "person_text",
]
