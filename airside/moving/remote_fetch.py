"""Fetches a workspace of another Plane into a folder like that of an export, which is then imported as any other.

Every list that was fetched whole is kept, so that an interrupted run goes on; the folder is deleted when the import
is done.
"""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from airside.db.base import Row
from airside.errors import Refused
from airside.moving.bundle import FILES, FORMAT, BundleWriter, LineWriter, Manifest, is_writable
from airside.moving.families import BY_NAME, FAMILIES, PEOPLE, VALUES
from airside.moving.progress import Progress
from airside.moving.remote_client import STORAGE_AWAY, NotServed, RemotePlane, SourceRefused
from airside.moving.remote_gaps import Gaps
from airside.moving.remote_lists import (
    ATTACHMENT,
    CUSTOM_RELATIONS,
    DETAILED,
    IMAGE,
    INTAKE,
    ITEMS,
    MAY_HAVE_NONE,
    MEMBERS,
    OF_ITEM,
    OF_PROJECT,
    OF_WORKSPACE,
    PROJECT_MEMBERS,
    KeptLists,
    Listing,
)
from airside.moving.remote_rows import (
    complete,
    find_image_ids,
    list_people,
    read_attachment,
    read_collection_page,
    read_custom_relations,
    read_id,
    read_intake,
    read_link,
    read_person,
    read_project,
    read_project_member,
    read_relations,
    read_values,
)
from airside.system.private_files import make_folder

FORMER = "Former member"  # a person whom the source names without showing who they are
PATIENCE = (
    3  # lists of one kind that aren't served in a row, before the project's others of it aren't asked for
)
STORAGE_GIVEN_UP = "not asked for: the host of the files before it didn't answer"
OUTSIDE = "the API key's account isn't in the project, so only its name is known"


async def fetch_workspace(
    source: RemotePlane, slug: str, folder: Path, progress: Progress, now: str
) -> tuple[Path, list[Row]]:
    """The folder that can be imported, and what the source doesn't serve. Raises SourceRefused and SourceAway."""
    fetch = _Fetch(source, slug, folder, progress)
    await fetch.run(now)
    return fetch.bundle.folder, fetch.gaps.as_list()


def folder_of(data: Path, url: str, slug: str) -> Path:
    """Where what was fetched is kept until the import is done."""
    return data / "imports" / hashlib.sha256(f"{url} {slug}".encode()).hexdigest()[:32]


class _Fetch:
    def __init__(self, source: RemotePlane, slug: str, folder: Path, progress: Progress) -> None:
        self._source = source
        self._slug = slug
        self._kept = KeptLists(folder / "lists")
        self._files = folder / FILES
        make_folder(self._files)
        self._progress = progress
        self.bundle = BundleWriter(_emptied(folder / "bundle"))
        names = (PEOPLE, VALUES, *(family.name for family in FAMILIES))
        self._lines: dict[str, LineWriter] = {name: self.bundle.open_family(name) for name in names}
        self._seen: set[tuple[str, bytes]] = set()  # a workspace's type is also in the lists of its projects
        self._seen_items: set[bytes] = set()  # of one project; pages shift while somebody adds work items
        self._people: set[str] = set()
        self._sightings: dict[str, tuple[str, str]] = {}  # of who isn't a member: a path, and the field
        self._images: set[str] = set()  # files of the workspace that texts of the project show
        self._definitions: dict[str, Row] = {}
        self.gaps = Gaps()
        self._external = f"{source.origin.host}/{slug}"

    async def run(self, now: str) -> None:
        await self._source.check_key()
        await self._fetch_members()
        parents: dict[str, list[str]] = {}
        for listing in OF_WORKSPACE:
            await self._fetch_listing(listing, None, parents)
        await self._fetch_images(None)
        projects = parents.get("projects", [])
        for number, project in enumerate(projects, 1):
            self._progress.begin(f"fetching project {number} of {len(projects)}")
            await self._fetch_project(project)
        await self._fetch_former()
        for name, lines in self._lines.items():
            self.bundle.close_family(name, lines)
        workspace = {"slug": self._slug, "name": await self._fetch_name()}
        features = [row async for row in self._rows(Listing("", "features"), "features", needs_id=False)]
        self.bundle.finish(
            Manifest(
                format=FORMAT,
                source=f"plane:{self._external}",
                workspace={**workspace, **({"features": features[0]} if features else {})},
                exported_at=now,
                left_out=self.gaps.as_list(),
            )
        )

    async def _fetch_members(self) -> None:
        """The first list that needs a right in the workspace. Raises SourceRefused."""
        self._progress.begin("fetching people")
        path = self._path("members")
        if not self._kept.has(path):
            try:
                await self._kept.keep(path, self._source.list_pages(path))
            except NotServed as error:
                raise SourceRefused(
                    f"The API key doesn't open the workspace {self._slug}: {error}. It needs a member's key."
                ) from None
        async for row in self._rows(MEMBERS, "members"):
            self._people.add(row["id"])
            self._write(PEOPLE, read_person(row))

    async def _fetch_name(self) -> str:
        """What the workspace is called, which API v1 shows beside its projects alone."""
        path = self._path("projects")
        try:
            answer: Any = await self._source.get(path, per_page="1", expand="workspace")
        except NotServed:
            return self._slug
        rows: Any = cast(Row, answer).get("results") if isinstance(answer, dict) else None
        shown: Any = cast(list[Any], rows)[0] if isinstance(rows, list) and rows else None
        found: Any = cast(Row, shown).get("workspace") if isinstance(shown, dict) else None
        name: Any = cast(Row, found).get("name") if isinstance(found, dict) else None
        return name if isinstance(name, str) and name else self._slug

    async def _fetch_project(self, project: str) -> None:
        path = PROJECT_MEMBERS.path.format(project=project)
        async for row in self._rows(PROJECT_MEMBERS, path):
            self._write(PROJECT_MEMBERS.family, read_project_member(row, project))
        parents: dict[str, list[str]] = {}
        for listing in OF_PROJECT:
            await self._fetch_listing(listing, project, parents)
        self._seen_items.clear()
        for listing in ITEMS:
            async for row in self._rows(listing, listing.path.format(project=project)):
                self._write_item(listing, row, project)
        self.gaps.begin_project()
        self._seen_items.clear()
        for listing in ITEMS:
            for item in self._kept_items(listing, project):
                await self._fetch_item(project, item)
                self._progress.advance(1)
        await self._fetch_images(project)

    async def _fetch_listing(
        self, listing: Listing, project: str | None, parents: dict[str, list[str]]
    ) -> None:
        """The list, or those below each of its parents; `parents` gets what may have lists below it."""
        above = parents.get(listing.parents, ()) if listing.parents else ("",)
        for parent in dict.fromkeys(above):
            path = listing.path.format(project=project, parent=parent)
            async for row in self._rows(listing, path, needs_id=listing.family != "collection_pages"):
                made = await self._read_row(listing, row, parent, project)
                if made is not None:
                    parents.setdefault(listing.family, []).append(made["id"])
                    self._write(listing.family, made, path=f"{path}/{row.get('id')}")

    async def _read_row(self, listing: Listing, row: Row, parent: str, project: str | None) -> Row | None:
        """The row of the folder; None for one that can't be told what it is of, or isn't readable."""
        if listing.linked:
            return read_link(listing, row, parent, project)
        if listing.family == "collection_pages":
            return read_collection_page(row, parent)
        if listing.family == "projects":
            return await self._read_project(row)
        if listing.family == DETAILED and "description_html" not in row:
            row = await self._detail(listing, row, project)
        made = complete(BY_NAME[listing.family], row, self._external, project)
        if listing.family == DETAILED:
            made["project_id"] = project
        if listing.family == "relation_definitions" and isinstance(row.get("outward"), str):
            self._definitions[row["outward"]] = row
        return {**made, listing.parent: parent} if listing.parent else made

    async def _read_project(self, row: Row) -> Row | None:
        if row.get("is_member") is False:
            self.gaps.note("projects", OUTSIDE, str(row.get("name") or row["id"]))
            return None
        path = f"projects/{row['id']}/features"
        found = [one async for one in self._rows(Listing("", path), path, needs_id=False)]
        made = read_project(row, found[0] if found else {})
        return complete(BY_NAME["projects"], made, self._external, None)

    async def _detail(self, listing: Listing, row: Row, project: str | None) -> Row:
        """A record whose list doesn't show all of it."""
        path = f"{listing.path.format(project=project)}/{row['id']}"
        found = [one async for one in self._rows(listing, path)]
        return found[0] if found else row

    def _write_item(self, listing: Listing, row: Row, project: str) -> None:
        made, item = (row, row) if listing.family != INTAKE else read_intake(row, project)
        if listing.family == INTAKE:
            self._write(INTAKE, complete(BY_NAME[INTAKE], made, self._external, project))
        if item is not None and self._is_new(item["id"]):
            made = complete(BY_NAME["work_items"], item, self._external, project)
            self._write("work_items", made, once=False, path=f"projects/{project}/work-items/{item['id']}")

    def _kept_items(self, listing: Listing, project: str) -> Iterator[str]:
        """The ids of the project's work items, each once, read from what is kept of the list."""
        path = self._path(listing.path.format(project=project))
        for row in self._kept.read(path) if self._kept.has(path) else ():
            item = read_id(row.get("issue")) if listing.family == INTAKE else read_id(row)
            if item and self._is_new(item):
                yield item

    def _is_new(self, item: str) -> bool:
        key = UUID(item).bytes
        is_new = key not in self._seen_items
        self._seen_items.add(key)
        return is_new

    async def _fetch_item(self, project: str, item: str) -> None:
        for listing in OF_ITEM:
            path = listing.path.format(project=project, item=item)
            needs_id = listing.family not in ("relations", CUSTOM_RELATIONS, VALUES)
            async for row in self._rows(listing, path, needs_id=needs_id):
                async for family, made in self._rows_of_item(listing.family, row, project, item):
                    shown = f"{path}/{made['id']}"
                    self._write(family, {**made, "project": project}, once=False, path=shown)

    async def _rows_of_item(
        self, family: str, row: Row, project: str, item: str
    ) -> AsyncIterator[tuple[str, Row]]:
        """The rows of the folder that one of its lists is."""
        if family == "relations":
            for made in read_relations(row, item):
                yield family, made
        elif family == CUSTOM_RELATIONS:
            for made in read_custom_relations(row, item, self._definitions):
                yield "relations", made
        elif family == VALUES:
            values = read_values(row, project, item)
            if values:
                yield family, values
        else:
            made = complete(BY_NAME[family], row, self._external, project)
            made |= {"issue": item, "work_item_id": item, "project_id": project}
            if family == "attachments":
                place = self._path(ATTACHMENT.format(project=project, item=item, file=row["id"]))
                made |= read_attachment(row)
                made["file"] = await self._keep_file(family, row["id"], partial(self._source.save, place))
            if family == "work_item_pages":
                made["page_id"] = read_id(row.get("page"))
            yield family, made

    async def _fetch_images(self, project: str | None) -> None:
        for file_id in sorted(self._images):
            rows = [row async for row in self._rows(_FILE, IMAGE.format(file=file_id))]
            url: Any = rows[0].get("asset_url") if rows else None
            if isinstance(url, str):
                made = {"id": file_id, "project_id": project, **read_attachment(rows[0])}
                save = partial(self._source.save_at, url)
                made["file"] = await self._keep_file(_FILE.family, file_id, save)
                self._write(_FILE.family, made)
        self._images.clear()

    async def _keep_file(
        self, family: str, file_id: str, save: Callable[[Path, int], Awaitable[None]]
    ) -> Row | None:
        """The size and checksum of a file, which is fetched once. None where it can't be had."""
        path = self._files / file_id
        if not path.exists():
            if self.gaps.is_given_up(FILES, PATIENCE):
                return self.gaps.note(family, STORAGE_GIVEN_UP, file_id)
            partly = path.with_suffix(".partial")
            try:
                await save(partly, self._source.max_file_bytes)
            except NotServed as error:
                self.gaps.count(FILES, error if error.status == STORAGE_AWAY else None)
                return self.gaps.note(family, str(error), file_id)
            except Refused as error:
                return self.gaps.note(family, error.sentence, file_id)
            self.gaps.count(FILES, None)
            partly.replace(path)
        return await self.bundle.keep_file(file_id, _read(path))

    async def _fetch_former(self) -> None:
        """Who made something and isn't a member any more: by their name, where the source shows it."""
        self._progress.begin("fetching people", len(self._sightings))
        for person, (path, field) in self._sightings.items():
            shown = Row()
            try:
                answer: Any = await self._source.get(self._path(path), expand=field)
                found: Any = cast(Row, answer).get(field) if isinstance(answer, dict) else None
                shown = cast(Row, found) if isinstance(found, dict) else shown
            except NotServed:
                pass
            made = {name: shown[name] for name in _NAMES if isinstance(shown.get(name), str) and shown[name]}
            is_bot = shown.get("is_bot") is True
            self._write(
                PEOPLE, {"display_name": FORMER, **made, "id": person, "is_bot": is_bot, "role": None}
            )
            self._progress.advance(1)

    async def _rows(self, listing: Listing, path: str, *, needs_id: bool = True) -> AsyncIterator[Row]:
        """The rows of a list, from the source or from an earlier run."""
        full = self._path(path)
        if not self._kept.has(full):
            if self.gaps.is_given_up(listing.path, PATIENCE):
                return
            try:
                await self._kept.keep(full, self._source.list_pages(full))
                self.gaps.count(listing.path, None)
            except NotServed as error:
                if not error.is_record:
                    self.gaps.count(listing.path, error)
                if listing.family and not (error.is_record and listing.family in MAY_HAVE_NONE):
                    self.gaps.note(listing.shown_as, str(error), path)
                return
        for row in self._kept.read(full):
            if not needs_id:
                yield row
            elif own := read_id(row):
                yield {**row, "id": own}
            else:
                self.gaps.note(listing.shown_as, "a record without an id", path)

    def _path(self, path: str) -> str:
        return f"workspaces/{self._slug}/{path}"

    def _write(self, family: str, row: Row, *, once: bool = True, path: str = "") -> None:
        """`once`: not a second time, if another list shows it too. `path` shows the record by itself."""
        key = (family, UUID(row["id"]).bytes)
        if once and key in self._seen:
            return
        if once:
            self._seen.add(key)
        if family in BY_NAME:
            self._images |= find_image_ids(BY_NAME[family], row)
            row = {
                name: value for name, value in row.items() if name in ("id", "file", *BY_NAME[family].columns)
            }
        if not is_writable(row):
            self.gaps.note(family, "it is too large, or nested too deep", row["id"])
            return
        for field, person in list_people(family, row):
            if person not in self._people:
                self._people.add(person)
                self._sightings[person] = (path, field)
        self._lines[family].write(row)


_FILE = Listing("workspace_files", IMAGE)
_NAMES = ("first_name", "last_name", "display_name")


def _emptied(folder: Path) -> Path:
    """What an interrupted run assembled is assembled again."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


async def _read(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(open, path, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, 256 * 1024):
            yield chunk
