"""THE LIST of what other rooms put into a work item's thread."""

from airside.portal.work.thread import Source

SOURCES: tuple[Source, ...] = ()
