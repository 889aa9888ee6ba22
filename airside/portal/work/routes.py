"""THE LIST of the pages of project records."""

from airside.host.chosen import host_of
from airside.portal.work.attachments import DeleteItemAttachment, ItemAttachment, ItemAttachments
from airside.portal.work.comments import DeleteComment, EditComment, Mentionable, NewComment
from airside.portal.work.item import (
    ArchiveWorkItem,
    DeleteItemLink,
    DeleteWorkItem,
    EditWorkItem,
    ItemLinks,
    SubItems,
    WorkItem,
)
from airside.portal.work.items import Items
from airside.portal.work.project_members import ProjectMember, ProjectMembers, RemoveProjectMember
from airside.portal.work.project_settings import (
    ArchiveProject,
    DeleteProject,
    ProjectFeatures,
    ProjectSettings,
)
from airside.portal.work.projects import JoinProject, NewProject, ProjectHome, Projects
from airside.portal.work.properties import Property
from airside.portal.work.records import record_routes
from airside.portal.work.states_and_labels import LABELS, STATES, DeleteEntry, Entries, Entry
from airside.portal.work.your_work import YourWork
from airside.runtime.site import Site

PROJECT = "/{slug}/projects/{project_id}"
SETTINGS = f"{PROJECT}/settings"
ITEM = "/{slug}/browse/{identifier}"
COMMENT = f"{ITEM}/comments/{{comment_id}}"


def work_routes(site: Site) -> list[tuple[str, object]]:
    """Path without its trailing slash → resource."""
    access = host_of(site).access
    return [
        ("/{slug}/your-work", YourWork(site, access)),
        ("/{slug}/projects", Projects(site, access)),
        ("/{slug}/projects/new", NewProject(site, access)),
        (PROJECT, ProjectHome(site, access)),
        (f"{PROJECT}/join", JoinProject(site, access)),
        (f"{PROJECT}/work-items", Items(site, access)),
        (SETTINGS, ProjectSettings(site, access)),
        (f"{SETTINGS}/features", ProjectFeatures(site, access)),
        (f"{SETTINGS}/archive", ArchiveProject(site, access)),
        (f"{SETTINGS}/delete", DeleteProject(site, access)),
        (f"{SETTINGS}/states", Entries(site, access, STATES)),
        (f"{SETTINGS}/states/{{state_id}}", Entry(site, access, STATES)),
        (f"{SETTINGS}/states/{{state_id}}/delete", DeleteEntry(site, access, STATES)),
        (f"{SETTINGS}/labels", Entries(site, access, LABELS)),
        (f"{SETTINGS}/labels/{{label_id}}", Entry(site, access, LABELS)),
        (f"{SETTINGS}/labels/{{label_id}}/delete", DeleteEntry(site, access, LABELS)),
        (f"{SETTINGS}/members", ProjectMembers(site, access)),
        (f"{SETTINGS}/members/{{member_id}}", ProjectMember(site, access)),
        (f"{SETTINGS}/members/{{member_id}}/remove", RemoveProjectMember(site, access)),
        (ITEM, WorkItem(site, access)),
        (f"{ITEM}/edit", EditWorkItem(site, access)),
        (f"{ITEM}/delete", DeleteWorkItem(site, access)),
        (f"{ITEM}/archive", ArchiveWorkItem(site, access)),
        (f"{ITEM}/set/{{field}}", Property(site, access)),
        (f"{ITEM}/sub-items", SubItems(site, access)),
        (f"{ITEM}/links", ItemLinks(site, access)),
        (f"{ITEM}/links/{{link_id}}/delete", DeleteItemLink(site, access)),
        (f"{ITEM}/attachments", ItemAttachments(site, access)),
        (f"{ITEM}/attachments/{{attachment_id}}", ItemAttachment(site, access)),
        (f"{ITEM}/attachments/{{attachment_id}}/delete", DeleteItemAttachment(site, access)),
        (f"{ITEM}/mentionable", Mentionable(site, access)),
        (f"{ITEM}/comments", NewComment(site, access)),
        (COMMENT, EditComment(site, access)),
        (f"{COMMENT}/delete", DeleteComment(site, access)),
        *record_routes(site),
    ]
