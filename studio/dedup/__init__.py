"""Near-duplicates: texts that say again, word for word or nearly so, what is there already or is held out."""

from studio.dedup.near import HeldOut, NearDuplicates, shingles

__all__ = ["HeldOut", "NearDuplicates", "shingles"]
