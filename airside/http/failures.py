"""What an exception is to the client: expected errors as they are, a lost database or a full disk as 503, any other
one as 500 without detail, logged."""

import errno

import structlog

from airside.db.away import DatabaseAway, OutcomeUnknown, Unwritable, has_committed
from airside.errors import AirsideError, MaybeDone, Unavailable
from airside.http.request import Request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)  # for an uploaded file

_log = structlog.get_logger()


def explain(request: Request, error: Exception) -> AirsideError:
    """The error to show. Logs what isn't the client's doing, but never the query: it may hold a code."""
    if isinstance(error, AirsideError):
        return error
    if isinstance(error, DatabaseAway):
        return _explain_away(request, error)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        _log.warning("disk_unwritable", request_id=request.id, reason=error.strerror)
        return Unavailable(Unwritable.sentence)
    _log.error(
        "unexpected_error", request_id=request.id, method=request.method, path=request.path, exc_info=error
    )
    return AirsideError()


def _explain_away(request: Request, error: DatabaseAway) -> AirsideError:
    """503 when the database is unavailable (`db/` logs that); 500 for a write whose outcome is unknown."""
    is_unclear = isinstance(error, OutcomeUnknown) or has_committed()
    if request.method in SAFE_METHODS or not is_unclear:
        return Unavailable(error.sentence)
    _log.warning("outcome_unknown", request_id=request.id, method=request.method, path=request.path)
    return MaybeDone()
