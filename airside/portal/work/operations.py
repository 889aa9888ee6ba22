"""The operations that pages perform, as constants: those of the API's table, and joining a project."""

from airside.rest.route import Route
from airside.rest.routes import verb_route
from airside.work.pages.collection_lists import COLLECTION_LIST_ROUTES
from airside.work.pages.work_item_pages import WORK_ITEM_PAGES_V1
from airside.work.projects.features import PROJECT_FEATURE_ROUTES
from airside.work.projects.labels import LABELS_V1
from airside.work.projects.members import JOIN_PROJECT, PROJECT_MEMBER_ROUTES
from airside.work.projects.projects import PROJECT_ROUTES, PROJECTS_V1
from airside.work.projects.states import STATES_V1
from airside.work.work_items.activities import WORK_ITEM_ACTIVITIES_V1
from airside.work.work_items.attachments import ATTACHMENT_ROUTES
from airside.work.work_items.comments import COMMENTS_V1
from airside.work.work_items.count import COUNT_ROUTES
from airside.work.work_items.links import LINKS_V1
from airside.work.work_items.work_items import WORK_ITEM_ROUTES, WORK_ITEMS_V1, WORKSPACE_WORK_ITEMS_V1


def _named(routes: list[Route], name: str) -> Route:
    return next(route for route in routes if route.name == name)


LIST_PROJECTS = verb_route(PROJECTS_V1, "list")
CREATE_PROJECT = verb_route(PROJECTS_V1, "create")
SHOW_PROJECT = verb_route(PROJECTS_V1, "retrieve")
UPDATE_PROJECT = verb_route(PROJECTS_V1, "update")
DELETE_PROJECT = verb_route(PROJECTS_V1, "delete")
ARCHIVE_PROJECT = _named(PROJECT_ROUTES, "archive_project")
UNARCHIVE_PROJECT = _named(PROJECT_ROUTES, "unarchive_project")
SHOW_FEATURES = _named(PROJECT_FEATURE_ROUTES, "retrieve_project_features")
UPDATE_FEATURES = _named(PROJECT_FEATURE_ROUTES, "update_project_features")

LIST_STATES = verb_route(STATES_V1, "list")
CREATE_STATE = verb_route(STATES_V1, "create")
SHOW_STATE = verb_route(STATES_V1, "retrieve")
UPDATE_STATE = verb_route(STATES_V1, "update")
DELETE_STATE = verb_route(STATES_V1, "delete")

LIST_LABELS = verb_route(LABELS_V1, "list")
CREATE_LABEL = verb_route(LABELS_V1, "create")
SHOW_LABEL = verb_route(LABELS_V1, "retrieve")
UPDATE_LABEL = verb_route(LABELS_V1, "update")
DELETE_LABEL = verb_route(LABELS_V1, "delete")

JOIN = JOIN_PROJECT
LIST_MEMBERS = _named(PROJECT_MEMBER_ROUTES, "list_project_members")
CREATE_MEMBER = _named(PROJECT_MEMBER_ROUTES, "create_project_member")
SHOW_MEMBER = _named(PROJECT_MEMBER_ROUTES, "retrieve_project_member")
UPDATE_MEMBER = _named(PROJECT_MEMBER_ROUTES, "update_project_member")
DELETE_MEMBER = _named(PROJECT_MEMBER_ROUTES, "delete_project_member")

LIST_ITEMS = verb_route(WORK_ITEMS_V1, "list")
CREATE_ITEM = verb_route(WORK_ITEMS_V1, "create")
UPDATE_ITEM = verb_route(WORK_ITEMS_V1, "update")
DELETE_ITEM = verb_route(WORK_ITEMS_V1, "delete")
FIND_ITEM = _named(WORK_ITEM_ROUTES, "retrieve_work_item_by_identifier")
ARCHIVE_ITEM = _named(WORK_ITEM_ROUTES, "archive_work_item")
UNARCHIVE_ITEM = _named(WORK_ITEM_ROUTES, "unarchive_work_item")
LIST_ITEMS_OF_WORKSPACE = verb_route(WORKSPACE_WORK_ITEMS_V1, "list")
COUNT_ITEMS = _named(COUNT_ROUTES, "count_work_items")

LIST_COMMENTS = verb_route(COMMENTS_V1, "list")
CREATE_COMMENT = verb_route(COMMENTS_V1, "create")
SHOW_COMMENT = verb_route(COMMENTS_V1, "retrieve")
UPDATE_COMMENT = verb_route(COMMENTS_V1, "update")
DELETE_COMMENT = verb_route(COMMENTS_V1, "delete")

LIST_ACTIVITIES = verb_route(WORK_ITEM_ACTIVITIES_V1, "list")
LIST_COLLECTION_PAGES = _named(COLLECTION_LIST_ROUTES, "list_collection_pages")
LIST_ITEM_PAGES = verb_route(WORK_ITEM_PAGES_V1, "list")
LIST_LINKS = verb_route(LINKS_V1, "list")
CREATE_LINK = verb_route(LINKS_V1, "create")
DELETE_LINK = verb_route(LINKS_V1, "delete")
LIST_ATTACHMENTS = _named(ATTACHMENT_ROUTES, "list_attachments")
CREATE_ATTACHMENT = _named(ATTACHMENT_ROUTES, "create_attachment")
DOWNLOAD_ATTACHMENT = _named(ATTACHMENT_ROUTES, "retrieve_attachment")
UPDATE_ATTACHMENT = _named(ATTACHMENT_ROUTES, "update_attachment")
DELETE_ATTACHMENT = _named(ATTACHMENT_ROUTES, "delete_attachment")
