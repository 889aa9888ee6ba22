"""Brings a folder's records into a workspace, family by family, each with what the next run knows it by."""

from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, cast

from airside.db.base import Row, is_uuid
from airside.db.database import Transaction, UniqueViolation
from airside.db.one_transaction import OneTransaction
from airside.errors import AirsideError, Conflict, Invalid, Refused
from airside.moving.bundle import Bundle
from airside.moving.calls import ImportAccess, call_to_create, make_call
from airside.moving.create import create_row, create_values
from airside.moving.families import VALUES, WITH_FILES, Family
from airside.moving.files import put_file
from airside.moving.known import Brought
from airside.moving.progress import Progress
from airside.moving.report import Report
from airside.moving.settle import find_rows, settle_row, settles
from airside.moving.stored import VALUE_REFERS, ids_in
from airside.moving.translate import REFUSALS, NotHere, list_ids, translate_row
from airside.runtime.site import Site

PRIVATE = "It is private to somebody who isn't a member here."
TAKEN = "There is a record with the same unique value already."
RENUMBERED = "Its number is taken here, so it has another."
MAX_ATTEMPTS = 5  # of one record, each without something that the rules refused


class Importer:
    """One run of an import, once its people are known."""

    def __init__(self, site: Site, workspace: Row, bundle: Bundle, import_id: str, admin_id: str) -> None:
        self.site = site
        self.report = Report()
        self.brought = Brought(workspace["id"], import_id)
        self.members: set[str] = set()  # people who may be assigned and lead
        self._workspace_id = workspace["id"]
        self._bundle = bundle
        self._import_id = import_id
        self._admin_id = admin_id
        self._access = ImportAccess(workspace)

    async def bring_family(self, family: Family, progress: Progress) -> None:
        """Until nothing waits for its parent any more; one whose parent never comes does without it."""
        progress.begin(family.name, self._bundle.count(family.name))
        waiting = await self._bring_rows(family, progress.advance, waits=True)
        before = 0
        while waiting and waiting != before:
            before, waiting = waiting, await self._bring_rows(family, _unnoticed, waits=True)
        if waiting:
            await self._bring_rows(family, _unnoticed, waits=False)

    async def _bring_rows(self, family: Family, advance: Callable[[int], None], *, waits: bool) -> int:
        """Returns how many rows wait for another of their family."""
        waiting = 0
        for rows in self._bundle.read_chunks(family.name):
            known = await self._find_known({one for row in rows for one in list_ids(family, row)})
            new = [row for row in rows if row["id"] not in known]
            if advance is not _unnoticed:
                self.report.present[family.name] += len(rows) - len(new)
            waiting += await self._store_rows(family, new, known, waits=waits)
            advance(len(rows))
        return waiting

    async def _store_rows(
        self, family: Family, rows: list[Row], known: dict[str, str], *, waits: bool
    ) -> int:
        """All in one transaction, or where the rules refuse one of them, each in its own."""
        if family.name not in WITH_FILES:
            try:
                return await self._store_together(family, rows, known, waits=waits)
            except (*REFUSALS, UniqueViolation):
                pass
        waiting = 0
        for row in rows:
            if waits and _waits(family, row, known):
                waiting += 1
            else:
                await self._store_alone(family, row, known)
        return waiting

    async def _store_together(
        self, family: Family, rows: list[Row], known: dict[str, str], *, waits: bool
    ) -> int:
        made: dict[str, str] = {}
        both, waiting, lost = ChainMap(made, known), 0, list[tuple[str, list[str]]]()
        async with OneTransaction(self.site.db, _begin_nothing) as one:
            for row in rows:
                if waits and _waits(family, row, both):
                    waiting += 1
                    continue
                here, missing = self._translate(family, row, both)
                made[row["id"]] = await self._create(self.site.with_database(one), family, here)
                lost.append((row["id"], missing))
            async with one.transaction() as tx:
                await self.brought.remember(tx, made, is_settled=not settles(family))
        known |= made
        self.report.came[family.name] += len(made)
        for row_id, missing in lost:
            self._note(family, row_id, missing)
        return waiting

    async def _store_alone(self, family: Family, row: Row, known: dict[str, str]) -> None:
        """As far as the rules let it, or as the record that is here already."""
        try:
            here, missing = self._translate(family, row, known)
            if family.name in WITH_FILES:
                place = (self._workspace_id, self._import_id)
                here["put"] = await put_file(self.site, *place, row, self._bundle.open_file)
            record_id = await self._store_without_refused(family, here, missing)
        except Conflict as error:
            record_id = getattr(error, "existing", None)
            if record_id is None:
                self.report.leave(family.name, row["id"], error.sentence)
                return
            await self._adopt(family, row["id"], record_id)
        except UniqueViolation:
            self.report.leave(family.name, row["id"], TAKEN)
            return
        except REFUSALS as error:
            self.report.leave(family.name, row["id"], _describe(error))
            return
        else:
            self.report.came[family.name] += 1
            self._note(family, row["id"], missing)
        known[row["id"]] = record_id

    async def _store_without_refused(self, family: Family, here: Row, missing: list[str]) -> str:
        """Without the references that the rules refuse, which are added to `missing`."""
        for _ in range(MAX_ATTEMPTS):
            try:
                return await self._store_one(family, here)
            except Invalid as error:
                refused = [name for name in error.fields if name in family.names and here.get(name)]
                if not refused:
                    raise
                here |= dict.fromkeys(refused)
                missing += refused
            except UniqueViolation:
                if here.pop("sequence_id", None) is None:
                    raise
                missing.append(RENUMBERED)
        return await self._store_one(family, here)

    async def _store_one(self, family: Family, here: Row) -> str:
        async with OneTransaction(self.site.db, _begin_nothing) as one:
            record_id = await self._create(self.site.with_database(one), family, here)
            async with one.transaction() as tx:
                made = {here["id"]: record_id}
                await self.brought.remember(tx, made, is_settled=not settles(family))
        return record_id

    async def _create(self, site: Site, family: Family, here: Row) -> str:
        call = await call_to_create(site, self._access, self._admin_id, family, here)
        return await create_row(family, call, here)

    async def _adopt(self, family: Family, row_id: str, record_id: str) -> None:
        """The record that is here stays as it is."""
        async with self.site.db.transaction() as tx:
            await self.brought.remember(tx, {row_id: record_id}, is_settled=True)
        self.report.present[family.name] += 1

    def _translate(self, family: Family, row: Row, known: Mapping[str, str]) -> tuple[Row, list[str]]:
        here, missing = translate_row(family, row, known, self.members)
        missing = [name for name in missing if name not in family.settles]
        if family.is_private(row) and here[family.author] not in self.members:
            raise Refused(PRIVATE)
        return here, missing

    def _note(self, family: Family, row_id: str, missing: list[str]) -> None:
        for name in missing:
            words = name if name == RENUMBERED else f"What it names isn't here: {name.removesuffix('_id')}."
            self.report.change(family.name, row_id, words)

    async def bring_values(self, progress: Progress) -> None:
        """The values of custom properties."""
        progress.begin(VALUES, self._bundle.count(VALUES))
        for rows in self._bundle.read_chunks(VALUES):
            known = await self._find_known({one for row in rows for one in _ids_of_values(row)})
            for row in rows:
                if row["id"] in known:
                    self.report.present[VALUES] += 1
                else:
                    await self._bring_value(row, known)
            progress.advance(len(rows))

    async def _bring_value(self, row: Row, known: Mapping[str, str]) -> None:
        try:
            here = _translate_values(row, known)
            async with OneTransaction(self.site.db, _begin_nothing) as one:
                site = self.site.with_database(one)
                author = here["created_by"] or self._admin_id
                call = await make_call(site, self._access, author, here)
                record_id = await create_values(call, here)
                async with one.transaction() as tx:
                    await self.brought.remember(tx, {row["id"]: record_id}, is_settled=True)
        except UniqueViolation:
            self.report.leave(VALUES, row["id"], TAKEN)
        except REFUSALS as error:
            self.report.leave(VALUES, row["id"], _describe(error))
        else:
            self.report.came[VALUES] += 1

    async def settle_family(self, family: Family, progress: Progress) -> None:
        """What could not be set before everything was there, of the records that came and aren't settled yet."""
        progress.begin(f"{family.name}: last changes", self._bundle.count(family.name))
        for rows in self._bundle.read_chunks(family.name):
            unsettled = await self.brought.find_unsettled(self.site.db, [row["id"] for row in rows])
            rows_left = [row for row in rows if row["id"] in unsettled]
            if rows_left:
                await self._settle_rows(family, rows_left)
            progress.advance(len(rows))

    async def _settle_rows(self, family: Family, rows: list[Row]) -> None:
        known = await self._find_known({one for row in rows for one in _ids_to_settle(family, row)})
        async with OneTransaction(self.site.db, _begin_nothing) as one:
            site = self.site.with_database(one)
            async with one.transaction() as tx:
                at_workspace = await make_call(site, self._access, self._admin_id, {})
                at_workspace.tx = tx
                stored = await find_rows(at_workspace, family, [known[row["id"]] for row in rows])
                for row in rows:
                    found = stored.get(known[row["id"]])
                    if found is not None:
                        here = {**row, **_translate_kept(family, row, known, self.members)}
                        author = here.get("updated_by") or here.get(family.author) or self._admin_id
                        call = await make_call(site, self._access, author, here)
                        call.tx = tx
                        await settle_row(family, call, found, here, row, known)
                await self.brought.settle(tx, [row["id"] for row in rows])

    async def _find_known(self, ids: set[str]) -> dict[str, str]:
        return await self.brought.find(self.site.db, sorted(ids))


def _unnoticed(_: int) -> None:
    """For a family that is read again."""


async def _begin_nothing(_: Transaction) -> None:
    """An import's transaction begins with its first record."""


def _waits(family: Family, row: Row, known: MutableMapping[str, str] | Mapping[str, str]) -> bool:
    """Whether another row of the same family has to come first."""
    fields = [name for name, target in family.names.items() if target == family.name]
    return any(one.lower() not in known for name in fields for one in ids_in(row.get(name)))


def _translate_kept(family: Family, row: Row, known: Mapping[str, str], members: set[str]) -> Row:
    """The row as it came, even if what it belongs to is gone by now."""
    try:
        return translate_row(family, row, known, members)[0]
    except NotHere:
        return {}


def _ids_to_settle(family: Family, row: Row) -> set[str]:
    defaults = ids_in(row.get("default_value")) if "default_value" in family.settles else []
    return {*list_ids(family, row), *(one for one in defaults if is_uuid(one))}


def _ids_of_values(row: Row) -> set[str]:
    fields = [row.get(name) for name in (*VALUE_REFERS, "created_by", "updated_by", "values")]
    return {row["id"], *(one.lower() for field in fields for one in ids_in(field) if is_uuid(one))}


def _translate_values(row: Row, known: Mapping[str, str]) -> Row:
    """Raises NotHere."""
    here = dict(row)
    for name in (*VALUE_REFERS, "created_by", "updated_by"):
        given = row.get(name)
        here[name] = known.get(given.lower()) if isinstance(given, str) else None
        if here[name] is None and name in VALUE_REFERS:
            raise NotHere(name)
    values: Any = row.get("values")
    if not isinstance(values, list) or not values:
        raise Refused("It has no values.")
    given = cast(list[Any], values)
    here["values"] = [known.get(one.lower(), one) if isinstance(one, str) else one for one in given]
    return here


def _describe(error: AirsideError) -> str:
    """The reason, with the fields that are wrong."""
    if not isinstance(error, Invalid):
        return error.sentence
    return "; ".join(f"{name}: {_words(messages)}" for name, messages in error.fields.items())


def _words(messages: Any) -> str:
    return (
        " ".join(str(one) for one in cast(list[Any], messages))
        if isinstance(messages, list)
        else str(messages)
    )
