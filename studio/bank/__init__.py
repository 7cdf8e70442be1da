"""Who talks to the persona: people composed, imported, or of the spec's profiles."""

from studio.bank.export import export_people
from studio.bank.formats import Reading, import_people, read_people
from studio.bank.job import MOST_BUILT, BankFinished, BankParams, BankStarted, PeopleAdded
from studio.bank.people import Heads, PeopleSource, heads, people_of, people_source
from studio.bank.person import Person, faults, person_text
from studio.bank.records import Bad

__all__ = [
    "MOST_BUILT",
    "Bad",
    "BankFinished",
    "BankParams",
    "BankStarted",
    "Heads",
    "PeopleAdded",
    "PeopleSource",
    "Person",
    "Reading",
    "export_people",
    "faults",
    "heads",
    "import_people",
    "people_of",
    "people_source",
    "person_text",
    "read_people",
]
