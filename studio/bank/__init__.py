"""Who talks to the persona: people from the spec's profiles and from built-in components."""

from studio.bank.job import MOST_BUILT, BankFinished, BankParams, BankStarted, PersonAdded
from studio.bank.people import Heads, PeopleSource, build, heads, people_of, people_source
from studio.bank.person import Person, person_text

__all__ = [
    "MOST_BUILT",
    "BankFinished",
    "BankParams",
    "BankStarted",
    "Heads",
    "PeopleSource",
    "Person",
    "PersonAdded",
    "build",
    "heads",
    "people_of",
    "people_source",
    "person_text",
]
