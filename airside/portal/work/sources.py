"""THE LIST of what other rooms put into a work item's thread."""

from airside.portal.agents.in_thread import list_run_entries
from airside.portal.work.thread import Source

SOURCES: tuple[Source, ...] = (list_run_entries,)
