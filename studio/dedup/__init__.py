"""Near-duplicates: texts that say again, word for word or nearly so, what is there already or is held out."""

from studio.dedup.held_out import HeldOut
from studio.dedup.near import NearDuplicates
from studio.dedup.shingles import shingles

__all__ = ["HeldOut", "NearDuplicates", "shingles"]
