"""Labels of a run's replies, and votes on its pairs: what people say of a training run."""

from __future__ import annotations

from typing import TypeVar

from studio.store.database import Database
from studio.store.records import PairVote, RunLabel

Said = TypeVar("Said", RunLabel, PairVote)


class RunLabels:
    """Every method is one transaction; what was written survives a power cut."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, label: RunLabel) -> None:
        """Keep a label, in the place of an earlier one of the same reply."""
        values = (label.run_id, label.probe_id, label.side, label.digest, label.model_dump_json())
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO run_labels (run_id, probe_id, side, digest, body) VALUES (?, ?, ?, ?, ?)",
                values,
            )

    def vote(self, vote: PairVote) -> None:
        """Keep a vote, in the place of an earlier one on the same pair."""
        values = (vote.run_id, vote.probe_id, vote.digest, vote.model_dump_json())
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO pair_votes (run_id, probe_id, digest, body) VALUES (?, ?, ?, ?)", values
            )

    def of_run(self, run_id: str) -> list[RunLabel]:
        """All labels of a run, oldest first."""
        return self._read("run_labels", run_id, RunLabel)

    def votes_of_run(self, run_id: str) -> list[PairVote]:
        """All votes on a run's pairs, oldest first."""
        return self._read("pair_votes", run_id, PairVote)

    def undo(self, run_id: str, by: str) -> RunLabel | None:
        """Take back the newest label of a run that ``by`` gave; None where there is none."""
        return self._undo("run_labels", run_id, by, RunLabel)

    def undo_vote(self, run_id: str, by: str) -> PairVote | None:
        """Take back the newest vote on a run's pairs that ``by`` gave; None where there is none."""
        return self._undo("pair_votes", run_id, by, PairVote)

    def _read(self, table: str, run_id: str, model: type[Said]) -> list[Said]:
        with self._database.reading() as connection:
            found = connection.execute(f"SELECT body FROM {table} WHERE run_id = ? ORDER BY id", (run_id,))
            return [model.model_validate_json(body) for (body,) in found]

    def _undo(self, table: str, run_id: str, by: str, model: type[Said]) -> Said | None:
        newest = (
            f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table}"
            " WHERE run_id = ? AND json_extract(body, '$.by') = ?) RETURNING body"
        )
        with self._database.writing(durable=True) as connection:
            found = connection.execute(newest, (run_id, by)).fetchone()
            return model.model_validate_json(found[0]) if found else None
