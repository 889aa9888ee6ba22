"""Fetches a workspace of another Plane into a folder like that of an export, which is then imported as any other.

Every list that was fetched whole is kept, so that an interrupted run goes on; the folder is deleted when the import
is done.
"""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import NAMESPACE_URL, uuid5

import msgspec

from airside.db.base import Row, is_uuid
from airside.errors import Refused
from airside.moving.bundle import FILES, FORMAT, BundleWriter, LineWriter, Manifest
from airside.moving.families import FAMILIES, PEOPLE, VALUES
from airside.moving.progress import Progress
from airside.moving.remote_client import NotServed, RemotePlane
from airside.system.private_files import make_folder

_P, _I = "projects/{project}/", "projects/{project}/work-items/{item}/"
RELATIONS = ("blocking", "start_before", "finish_before", "duplicate", "relates_to")  # as they are stored
UNDIRECTED = ("duplicate", "relates_to")
SHOWN_ROLE = 15  # of a project's member, whose role an older Plane doesn't say


class Listing(NamedTuple):
    """A list of the API: its family, its path, and what its rows have besides."""

    family: str
    path: str


OF_WORKSPACE = (
    Listing("projects", "projects"),
    Listing("work_item_types", "work-item-types"),
    Listing("work_item_properties", "work-item-properties"),
    Listing("relation_definitions", "work-item-relation-definitions"),
    Listing("pages", "pages"),
    Listing("stickies", "stickies"),
)
OF_PROJECT = (
    Listing("states", _P + "states"),
    Listing("labels", _P + "labels"),
    Listing("estimates", _P + "estimates"),
    Listing("work_item_types", _P + "work-item-types"),
    Listing("work_item_properties", _P + "work-item-properties"),
    Listing("milestones", _P + "milestones"),
    Listing("cycles", _P + "cycles"),
    Listing("cycles", _P + "archived-cycles"),
    Listing("modules", _P + "modules"),
    Listing("modules", _P + "archived-modules"),
    Listing("pages", _P + "pages"),
    Listing("work_items", _P + "work-items"),
    Listing("work_items", _P + "archived-work-items"),
)
OF_ITEM = (
    Listing("comments", _I + "comments"),
    Listing("links", _I + "links"),
    Listing("attachments", _I + "attachments"),
    Listing("relations", _I + "relations"),
    Listing("worklogs", _I + "worklogs"),
    Listing(VALUES, _I + "work-item-properties/values"),
)
BELOW = (  # lists below a record of the project: their parent's family, and the field that names it
    (Listing("estimate_points", _P + "estimates/{parent}/estimate-points"), "estimates", "estimate"),
    (
        Listing("work_item_property_options", _P + "work-item-properties/{parent}/options"),
        "work_item_properties",
        "property",
    ),
    (
        Listing("work_item_type_properties", _P + "work-item-types/{parent}/work-item-properties"),
        "work_item_types",
        "type",
    ),
    (Listing("cycle_work_items", _P + "cycles/{parent}/cycle-issues"), "cycles", "cycle"),
    (Listing("module_work_items", _P + "modules/{parent}/module-issues"), "modules", "module"),
    (Listing("milestone_work_items", _P + "milestones/{parent}/work-items"), "milestones", "milestone"),
)
PATIENCE = 3  # lists of one kind that aren't served, before the others of it aren't asked for
_encode = msgspec.json.Encoder().encode


async def fetch_workspace(
    source: RemotePlane, slug: str, folder: Path, progress: Progress, now: str
) -> tuple[Path, list[Row]]:
    """The folder that can be imported, and what the source doesn't serve. Raises SourceRefused and SourceAway."""
    fetch = _Fetch(source, slug, folder, progress)
    await fetch.run(now)
    return fetch.bundle.folder, fetch.left_out


def folder_of(data: Path, url: str, slug: str) -> Path:
    """Where what was fetched is kept until the import is done."""
    return data / "imports" / hashlib.sha256(f"{url} {slug}".encode()).hexdigest()[:32]


class _Fetch:
    def __init__(self, source: RemotePlane, slug: str, folder: Path, progress: Progress) -> None:
        self._source = source
        self._slug = slug
        self._lists = folder / "lists"
        make_folder(self._lists)
        make_folder(folder / FILES)
        self._files = folder / FILES
        self._progress = progress
        self.bundle = BundleWriter(_emptied(folder / "bundle"))
        names = (PEOPLE, VALUES, *(family.name for family in FAMILIES))
        self._lines: dict[str, LineWriter] = {name: self.bundle.open_family(name) for name in names}
        self._seen: set[str] = set()  # of all but what work items have
        self._unserved: dict[str, int] = {}
        self.left_out: list[Row] = []
        self._external = f"{source.origin.host}/{slug}"

    async def run(self, now: str) -> None:
        self._progress.begin("fetching people")
        async for row in self._rows(Listing(PEOPLE, "members"), "members"):
            self._write(PEOPLE, row)
        for listing in OF_WORKSPACE:
            async for row in self._rows(listing, listing.path):
                self._write(listing.family, self._complete(listing.family, row))
        projects = [row["id"] for row in self._kept(self._path("projects"))]
        for number, project in enumerate(projects, 1):
            self._progress.begin(f"fetching project {number} of {len(projects)}")
            await self._fetch_project(project)
        for name, lines in self._lines.items():
            self.bundle.close_family(name, lines)
        workspace = {"slug": self._slug, "name": self._slug}
        self.bundle.finish(
            Manifest(
                format=FORMAT,
                source=f"plane:{self._external}",
                workspace=workspace,
                exported_at=now,
                left_out=self.left_out,
            )
        )

    async def _fetch_project(self, project: str) -> None:
        path = f"projects/{project}/project-members"
        async for row in self._rows(Listing("project_members", _P + "project-members"), path):
            member = {"id": _derive(project, row["id"]), "project_id": project, "member": row["id"]}
            self._write("project_members", {**member, "role": row.get("role") or SHOWN_ROLE})
        parents: dict[str, list[str]] = {}
        for listing in OF_PROJECT:
            async for row in self._rows(listing, listing.path.format(project=project)):
                if listing.family != "work_items":
                    parents.setdefault(listing.family, []).append(row["id"])
                self._write(listing.family, self._complete(listing.family, row, project=project))
        for listing, family, field in BELOW:
            for parent in dict.fromkeys(parents.get(family, ())):
                await self._fetch_below(listing, project, parent, field)
        for listing in OF_PROJECT[-2:]:
            for row in self._kept(self._path(listing.path.format(project=project))):
                await self._fetch_item(project, row["id"])
                self._progress.advance(1)

    async def _fetch_below(self, listing: Listing, project: str, parent: str, field: str) -> None:
        linked = {"cycle": "issue", "module": "issue", "milestone": "issue", "type": "property"}.get(field)
        async for row in self._rows(listing, listing.path.format(project=project, parent=parent)):
            if linked is None:
                self._write(
                    listing.family, {**self._complete(listing.family, row, project=project), field: parent}
                )
            else:
                link = {"id": _derive(parent, row["id"]), "project": project, "project_id": project}
                self._write(listing.family, {**link, field: parent, linked: row["id"]})

    async def _fetch_item(self, project: str, item: str) -> None:
        for listing in OF_ITEM:
            path = listing.path.format(project=project, item=item)
            async for row in self._rows(listing, path, needs_id=listing.family not in ("relations", VALUES)):
                async for made in self._rows_of_item(listing.family, row, project, item):
                    self._lines[listing.family].write(made)

    async def _rows_of_item(self, family: str, row: Row, project: str, item: str) -> AsyncIterator[Row]:
        """The rows of the family that one of its list is."""
        if family == "relations":
            for made in _read_relations(row, item):
                if made["id"] not in self._seen:
                    self._seen.add(made["id"])
                    yield {**made, "project": project}
        elif family == VALUES:
            if is_uuid(str(row.get("property_id"))) and isinstance(row.get("values"), list):
                key = {"id": _derive(item, row["property_id"]), "project": project, "work_item": item}
                yield {**key, "property": row["property_id"], "values": row["values"]}
        else:
            made = self._complete(family, row, project=project)
            made |= {"issue": item, "work_item_id": item, "project_id": project}
            if family == "attachments":
                made |= await self._keep_file(made, project, item)
            yield made

    async def _keep_file(self, row: Row, project: str, item: str) -> Row:
        """Its name, type and file, which is fetched once. None where the source hasn't got it."""
        given: Any = row.get("attributes")
        facts = cast(Row, given) if isinstance(given, dict) else Row()
        shown = {"name": facts.get("name"), "content_type": facts.get("type")}
        path = self._files / row["id"]
        if not path.exists():
            partial = path.with_suffix(".partial")
            chunks = self._source.download(
                self._path(_I.format(project=project, item=item) + f"attachments/{row['id']}")
            )
            try:
                with await asyncio.to_thread(open, partial, "wb") as file:
                    async for chunk in chunks:
                        await asyncio.to_thread(file.write, chunk)
            except (NotServed, Refused) as error:
                self._leave_out("attachments", str(error))
                return {**shown, "file": None}
            partial.replace(path)
        return {**shown, "file": await self.bundle.keep_file(row["id"], _read(path))}

    async def _rows(self, listing: Listing, path: str, *, needs_id: bool = True) -> AsyncIterator[Row]:
        """The rows of a list, from the source or from an earlier run."""
        full = self._path(path)
        if self._unserved.get(listing.path, 0) >= PATIENCE and not self._cache(full).exists():
            return
        if not self._cache(full).exists():
            try:
                await self._fetch_list(full)
                self._unserved[listing.path] = 0
            except NotServed as error:
                count = self._unserved[listing.path] = self._unserved.get(listing.path, 0) + 1
                if count == 1:
                    self._leave_out(listing.family, str(error))
                return
        for row in self._kept(full, needs_id=needs_id):
            yield row

    async def _fetch_list(self, path: str) -> None:
        partial = self._cache(path).with_suffix(".partial")
        lines = LineWriter(partial)
        async for rows in self._source.list_pages(path):
            for row in rows:
                lines.write(row)
        lines.close()
        partial.replace(self._cache(path))

    def _kept(self, path: str, *, needs_id: bool = True) -> Iterator[Row]:
        cache = self._cache(path)
        if cache.exists():
            with open(cache, "rb") as file:
                for line in file:
                    row = msgspec.json.decode(line)
                    if not needs_id or (isinstance(row.get("id"), str) and is_uuid(row["id"])):
                        yield row

    def _cache(self, path: str) -> Path:
        return self._lists / hashlib.sha256(path.encode()).hexdigest()

    def _path(self, path: str) -> str:
        return f"workspaces/{self._slug}/{path}"

    def _complete(self, family: str, row: Row, *, project: str | None = None) -> Row:
        """With its project, and with the source's own id as external id where it has none."""
        own = {"external_source": self._external, "external_id": row["id"]}
        given = {} if row.get("external_id") or family in ("attachments", "stickies") else own
        at_workspace = project is None or ("project" in row and row["project"] is None)
        return {**row, **given, "project": None if at_workspace else project}

    def _write(self, family: str, row: Row) -> None:
        """Once: a workspace's type is also in the lists of its projects."""
        key = f"{family} {row['id']}"
        if key not in self._seen:
            self._seen.add(key)
            self._lines[family].write(row)

    def _leave_out(self, family: str, reason: str) -> None:
        self.left_out.append({"family": family, "reason": reason})


def _derive(*parts: str) -> str:
    """The id of a link, which the API shows without one."""
    return str(uuid5(NAMESPACE_URL, " ".join(parts)))


def _read_relations(found: Row, item: str) -> Iterator[Row]:
    for kind in RELATIONS:
        for other in found.get(kind) or ():
            other_id: Any = cast(Row, other).get("id") if isinstance(other, dict) else other
            if isinstance(other_id, str) and is_uuid(other_id):
                ends = sorted((item, other_id)) if kind in UNDIRECTED else [item, other_id]
                yield {
                    "id": _derive(kind, *ends),
                    "relation_type": kind,
                    "issue": ends[0],
                    "related_issue": ends[1],
                }


def _emptied(folder: Path) -> Path:
    """What an interrupted run assembled is assembled again."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


async def _read(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(open, path, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, 256 * 1024):
            yield chunk
