"""How many records a list has in all, for the envelope around one page of them; and how many a record holds.

Separate from the lists because counting costs what it counts: a large total isn't counted again for seconds.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

from airside.db.base import Row
from airside.db.remembered import Remembered
from airside.db.statements import Statement
from airside.rest.call import Call

LARGE = 5_000  # records; fewer are counted in less time than a page of them takes
MAX_KEY = 100  # characters of a parameter in the key of a total
LARGE_SECONDS = 10.0  # for which a large total is answered, whatever is written meanwhile

_totals = Remembered[int]()
_large = Remembered[int](LARGE_SECONDS, until_commit=False)
_numbers = Remembered[Row](LARGE_SECONDS, until_commit=False)


async def find_total(
    call: Call, statement: Statement, params: Row, *, offset: int, limit: int, found: int
) -> int:
    """The total of a list, of which the page at `offset` has `found` records. The last page is exact; on a page
    before it, so is a total that isn't large.

    A large total that was counted seconds ago is never less than what the page shows, nor does it end the list."""
    if found < limit and (found or not offset):
        return offset + found
    key = (statement, tuple((name, _shorten(str(value))) for name, value in params.items()))
    total = _large.find(call.site.db, key)
    if total is not None and found and total > offset + found:
        return total
    return await _count(call, statement, params, key)


def _shorten(text: str) -> str:
    """A list of thousands of ids is no key to keep."""
    return text if len(text) <= MAX_KEY else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


async def _count(call: Call, statement: Statement, params: Row, key: object) -> int:
    """It is cached for a client that reads page after page."""
    db, commits = call.site.db, call.site.db.commits
    total = _totals.find(db, key)
    if total is None:
        total = int(await call.reader.fetch_value(statement, **params))
        _totals.keep(db, commits, key, total)
        if total > LARGE:
            _large.keep(db, commits, key, total)
    return total


# Counts for the records with these ids, of those that have any.
Count = Callable[[list[str]], Awaitable[Mapping[str, Row]]]


async def count_for_each(
    call: Call, kind: object, ids: Sequence[str], size: str, count: Count
) -> Mapping[str, Row]:
    """What `count` finds for each record, such as what a cycle holds in each group of states; where its number
    `size` is large, as it was seconds ago, unless the call has prepared `exact_numbers`."""
    db, is_exact = call.site.db, call.prepared.get("exact_numbers", False)
    keys = {one: (kind, call.workspace_id, one) for one in ids}
    found: dict[str, Row] = {}
    for one, key in keys.items():
        row = None if is_exact else _numbers.find(db, key)
        if row is not None:
            found[one] = row
    left = [one for one in keys if one not in found]
    counted = await count(left) if left else dict[str, Row]()
    for one, row in counted.items():
        if row[size] > LARGE:
            _numbers.keep(db, db.commits, keys[one], row)
    return {**found, **counted}
