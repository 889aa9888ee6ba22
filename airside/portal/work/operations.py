"""The operations that pages perform, as constants: those of the API's table, and joining a project."""

from airside.rest.resource import Route
from airside.rest.routes import verb_route
from airside.work.projects.features import PROJECT_FEATURE_ROUTES
from airside.work.projects.labels import Labels
from airside.work.projects.members import JOIN_PROJECT, PROJECT_MEMBER_ROUTES
from airside.work.projects.projects import PROJECT_ROUTES, PROJECTS
from airside.work.projects.states import States
from airside.work.work_items.activities import WORK_ITEM_ACTIVITIES
from airside.work.work_items.comments import COMMENTS
from airside.work.work_items.count import COUNT_ROUTES
from airside.work.work_items.links import LINKS
from airside.work.work_items.work_items import WORK_ITEM_ROUTES, WORK_ITEMS, WorkspaceWorkItems


def _named(routes: list[Route], name: str) -> Route:
    return next(route for route in routes if route.name == name)


LIST_PROJECTS = verb_route(PROJECTS, "list")
CREATE_PROJECT = verb_route(PROJECTS, "create")
SHOW_PROJECT = verb_route(PROJECTS, "retrieve")
UPDATE_PROJECT = verb_route(PROJECTS, "update")
DELETE_PROJECT = verb_route(PROJECTS, "delete")
ARCHIVE_PROJECT = _named(PROJECT_ROUTES, "archive_project")
UNARCHIVE_PROJECT = _named(PROJECT_ROUTES, "unarchive_project")
SHOW_FEATURES = _named(PROJECT_FEATURE_ROUTES, "retrieve_project_features")
UPDATE_FEATURES = _named(PROJECT_FEATURE_ROUTES, "update_project_features")

_states = States()
LIST_STATES = verb_route(_states, "list")
CREATE_STATE = verb_route(_states, "create")
SHOW_STATE = verb_route(_states, "retrieve")
UPDATE_STATE = verb_route(_states, "update")
DELETE_STATE = verb_route(_states, "delete")

_labels = Labels()
LIST_LABELS = verb_route(_labels, "list")
CREATE_LABEL = verb_route(_labels, "create")
SHOW_LABEL = verb_route(_labels, "retrieve")
UPDATE_LABEL = verb_route(_labels, "update")
DELETE_LABEL = verb_route(_labels, "delete")

JOIN = JOIN_PROJECT
LIST_MEMBERS = _named(PROJECT_MEMBER_ROUTES, "list_project_members")
CREATE_MEMBER = _named(PROJECT_MEMBER_ROUTES, "create_project_member")
SHOW_MEMBER = _named(PROJECT_MEMBER_ROUTES, "retrieve_project_member")
UPDATE_MEMBER = _named(PROJECT_MEMBER_ROUTES, "update_project_member")
DELETE_MEMBER = _named(PROJECT_MEMBER_ROUTES, "delete_project_member")

LIST_ITEMS = verb_route(WORK_ITEMS, "list")
CREATE_ITEM = verb_route(WORK_ITEMS, "create")
UPDATE_ITEM = verb_route(WORK_ITEMS, "update")
DELETE_ITEM = verb_route(WORK_ITEMS, "delete")
FIND_ITEM = _named(WORK_ITEM_ROUTES, "retrieve_work_item_by_identifier")
ARCHIVE_ITEM = _named(WORK_ITEM_ROUTES, "archive_work_item")
UNARCHIVE_ITEM = _named(WORK_ITEM_ROUTES, "unarchive_work_item")
LIST_ITEMS_OF_WORKSPACE = verb_route(WorkspaceWorkItems(), "list")
COUNT_ITEMS = _named(COUNT_ROUTES, "count_work_items")

LIST_COMMENTS = verb_route(COMMENTS, "list")
CREATE_COMMENT = verb_route(COMMENTS, "create")
SHOW_COMMENT = verb_route(COMMENTS, "retrieve")
UPDATE_COMMENT = verb_route(COMMENTS, "update")
DELETE_COMMENT = verb_route(COMMENTS, "delete")

LIST_ACTIVITIES = verb_route(WORK_ITEM_ACTIVITIES, "list")
LIST_LINKS = verb_route(LINKS, "list")
CREATE_LINK = verb_route(LINKS, "create")
DELETE_LINK = verb_route(LINKS, "delete")
