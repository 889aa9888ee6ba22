"""Writes a workspace of this instance into a folder.

Families are read in reverse: what a row names was there before it, and is read later.
"""

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

from airside import __version__
from airside.assets.storage import key_of, storage_of
from airside.assets.stored import StorageAway
from airside.assets.tables import files
from airside.db.base import Row
from airside.host.chosen import host_of
from airside.moving.bundle import FORMAT, BundleWriter, Manifest
from airside.moving.families import FAMILIES, PEOPLE, VALUES, WITH_FILES, Family
from airside.moving.progress import Progress
from airside.moving.stored import VALUE_REFERS, StoredRows, ids_in
from airside.runtime.site import Site
from airside.workspaces.create import FEATURES

PERSON_FIELDS = ("id", "first_name", "last_name", "display_name", "is_bot", "role")
PEOPLE_AT_ONCE = 500


class Exported(NamedTuple):
    """What came into the folder."""

    rows: Mapping[str, int]
    file_bytes: int
    left_out: list[Row]


async def export_workspace(site: Site, workspace: Row, folder: Path, progress: Progress) -> Exported:
    """Raises BundleRefused for a folder that isn't empty."""
    return await _Export(site, workspace, folder, progress).run()


class _Export:
    def __init__(self, site: Site, workspace: Row, folder: Path, progress: Progress) -> None:
        self._site = site
        self._workspace = workspace
        self._rows = StoredRows(site, host_of(site).access, workspace, workspace["owner_id"])
        self._bundle = BundleWriter(folder)
        self._progress = progress
        self._people: set[str] = {workspace["owner_id"]}
        self._counts: dict[str, int] = {}
        self._file_bytes = 0
        self._left_out: list[Row] = []

    async def run(self) -> Exported:
        await self._write_values()
        for family in reversed(FAMILIES):
            await self._write_family(family)
        await self._write_people()
        self._bundle.finish(self._manifest())
        return Exported(self._counts, self._file_bytes, self._left_out)

    async def _write_family(self, family: Family) -> None:
        self._progress.begin(family.name)
        lines = self._bundle.open_family(family.name)
        async for rows in self._rows.read_chunks(family):
            for row in rows:
                if family.name in WITH_FILES:
                    row["file"] = await self._keep_file(family, row)
                lines.write(row)
            self._note_people(family.refers, rows)
            self._progress.advance(len(rows))
        self._counts[family.name] = self._bundle.close_family(family.name, lines)

    async def _write_values(self) -> None:
        self._progress.begin(VALUES)
        lines = self._bundle.open_family(VALUES)
        async for rows in self._rows.read_values():
            for row in rows:
                lines.write(row)
            self._note_people({"created_by": PEOPLE, "updated_by": PEOPLE, **VALUE_REFERS}, rows)
            self._progress.advance(len(rows))
        self._counts[VALUES] = self._bundle.close_family(VALUES, lines)

    async def _keep_file(self, family: Family, row: Row) -> Row | None:
        """The file's size and checksum; None where the storage hasn't got it."""
        try:
            stored = await self._site.db.find(files, workspace_id=self._workspace["id"], id=row["id"])
            chunks = await storage_of(self._site).open(key_of(stored)) if stored else None
        except StorageAway as error:
            return self._leave_out(family, row, error.sentence)
        if chunks is None:
            return self._leave_out(family, row, "The storage hasn't got the file.")
        kept = await self._bundle.keep_file(row["id"], chunks)
        self._file_bytes += kept["size"]
        return kept

    def _leave_out(self, family: Family, row: Row, reason: str) -> None:
        self._left_out.append({"family": family.name, "id": row["id"], "reason": reason})

    def _note_people(self, refers: Mapping[str, str], rows: list[Row]) -> None:
        fields = [name for name, target in refers.items() if target == PEOPLE]
        self._people.update(one for row in rows for name in fields for one in ids_in(row[name]))

    async def _write_people(self) -> None:
        self._progress.begin(PEOPLE)
        lines = self._bundle.open_family(PEOPLE)
        ids = sorted(self._people.union(await self._rows.list_member_ids()))
        for at in range(0, len(ids), PEOPLE_AT_ONCE):
            for person in await self._rows.find_people(ids[at : at + PEOPLE_AT_ONCE]):
                lines.write(_show_person(person))
        self._counts[PEOPLE] = self._bundle.close_family(PEOPLE, lines)

    def _manifest(self) -> Manifest:
        workspace = {name: self._workspace[name] for name in ("id", "name", "slug")}
        workspace |= {
            "owner": self._workspace["owner_id"],
            "features": FEATURES | self._workspace["features"],
        }
        return Manifest(
            format=FORMAT,
            source=f"airside:{self._workspace['id']}",
            workspace=workspace,
            exported_at=self._site.clock.now().astimezone(UTC).isoformat(),
            by=f"airside {__version__}",
            left_out=self._left_out,
        )


def _show_person(person: Row) -> dict[str, Any]:
    """A bot has its role, and its address, by an installation, which doesn't move."""
    shown = {name: person[name] for name in PERSON_FIELDS}
    return {**shown, **({"role": None, "email": None} if person["is_bot"] else {"email": person["email"]})}
