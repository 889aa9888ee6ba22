"""Hostile values, by the kind of place that they are sent to. A value belongs here once it has broken anything."""

from typing import Any

MAX_INT64 = 2**63 - 1
DEPTHS = (65, 150, 500, 967, 1100, 20_000)

# Percent-encoded, as they stand in a request line.
SEGMENTS = (
    "%00", "a%00b", "%ff%fe", "%ed%a0%80", "-1", "0", "%D9%A2", "9" * 40, "1" * 3000, "1e400", "NaN", "ENG--1",
    "ENG-99999999999999999999", "ENG-%D9%A2", "-", "%2E%2E%2F..", "%E2%80%AE", "%F0%9F%A6%84", "%27%20OR%201=1--",
    "%7B7*7%7D", "%0D%0Ax:%20y", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffffffffffffffffffffffffffff",
    "00000000-0000-0000-0000-000000000000%0A",
)  # fmt: skip

TEXTS = (
    "", " ", "\x00", "a\x00b", "\ud800", "x" * 300, "x" * 5000, "\U0001f984" * 300, "\u202e\u2066", "\r\nx: y", "-",
    "--name", "' OR 1=1 --", "%s%n%00", "{{7*7}}", "{0.__class__}", "<script>alert(1)</script>", "../../etc/passwd",
    "\\", '"', "\u0130\u0131\ufb01", "a" + "\u0300" * 300, "(" * 300, '"' * 301, "*" * 300, "[" * 300,
)  # fmt: skip

NUMBERS = (
    -1, 0, 2**31, MAX_INT64, MAX_INT64 + 1, -(2**63) - 1, 10**400, 1e308, -0.0, 0.1, True,
    "1e400", "NaN", "Infinity", "\u0662", "1_000", " 1 ", "0x1", "+1", "9" * 5000, "1:1:1",
    "100:-1:0", "1:1e308:0", "0:\u0662:0",
)  # fmt: skip

DATES = (
    "2026-02-30", "2026-13-01", "0000-00-00", "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-14:00", "2026-01-01T00:00:00+99:99", "2026-01-01T00:00:00+23:59:59.999999",
    "2026-W01-1", "20260101T000000Z", "+010000-01-01", "-0001-01-01", "infinity", "now", "2026-01-01T24:00:01",
    "\uff12\uff10\uff12\uff16-01-01", "2026-01-01T00:00:00.0000000001Z", "2026-01-01T00:00:60Z",
)  # fmt: skip

IDS = (
    "zz", "ffffffff-ffff-ffff-ffff-ffffffffffff", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "ffffffffffffffffffffffffffffffff", "{ffffffff-ffff-ffff-ffff-ffffffffffff}",
    "urn:uuid:ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff\n",
    "\uff10" * 8 + "-0000-0000-0000-000000000000",
)  # fmt: skip

URLS = (
    "http://256.1.1.1/hook", "http://1.2.3.4.5/", "http://4294967296/", "http://0x/", "http://0300.0.0.09/",
    "http://127.1/", "http://127.0.0.1:\u0662\u0664\u0660/cb", "http://127.0.0.1:0/", "http://127.0.0.1:65536/",
    "http://127.0.0.1:-1/", "http://[::1/", "http://[::1%25lo]/", "http://[v1.fe]/", "http://[::ffff:256.1.1.1]/",
    "http://a..b/", "http://-/", "http://.", "http:///x", "//x/y", "http://" + "a" * 300 + ".example/",
    "http://" + "a." * 200 + "b/", "http://xn--/", "http://xn--\u00e9/", "http://\u2100.example/",
    "http://\u2603.example/",
    "http://u:p@h.example/", "http://h.example\\@x/", "http://exa mple/", "http://h.example/%ff%00", "http://h.example/\x7f",
    "http://%31%32.example/", "javascript:alert(1)", "http:h.example", "com.example:/\u0662",
    "h.example/" + "x" * 3000,
)  # fmt: skip

LEAVES: tuple[Any, ...] = (
    None, [], [None], [[]], ["x", ["x"]], {}, {"": {}}, {"a": {"b": [{}]}}, {"\x00": 1}, ["\x00"], {"type": ["x"]},
    [{"type": 1}], ["\ud800"],
    *TEXTS, *NUMBERS, *DATES, *IDS, *URLS,
    *([value] for value in (*IDS, *NUMBERS[:6], "x" * 5000)),
)  # fmt: skip

BODIES = (
    b"", b"{", b"[]", b"null", b'"x"', b"1", b"\xff\xfe", b'{"name": "\\ud800"}', b"{" * 2000, b"[" * 100_000,
    b'{"a":' * 30_000, b'{"name": 1e999}', b'{"name": -}', b'{"name": NaN}', b'{"a":1,}', b"\x00",
    b'{"a": 1, "a": 2}',
    b'\xef\xbb\xbf{"name": "x"}', '{"name": "x"}'.encode("utf-16"), b'{"name": ' + b"9" * 5000 + b"}",
)  # fmt: skip

# Of a form, as it is sent.
FORMS = (
    b"", b"&&&", b"=", b"%", b"%ff%fe=1", b"a=%ff", b"a=%ed%a0%80", b"a=%00", b"\x00\xff", b"a=1&a=2", b"a" * 5000,
    b"a=1;b=2", b"x=1&" * 400, b"+" * 3000,
)  # fmt: skip

QUERIES = (
    "&&&",
    "=",
    "%",
    "%zz",
    "a=%ff%fe",
    "a=%ed%a0%80",
    "a=%00",
    "%00=1",
    "a=1&a=2",
    "a,b=c,d",
    "a[]=1",
    "a[b]=1",
    "x=1&" * 500,
)

# As bytes, which is what a header is.
HEADERS = (
    b"", b" ", b"\xff\xfe", b"\xed\xa0\x80", b"x" * 8000, b",,,;;;", b'"', b"=", b"=?utf-8?q?=00?=", b"*",
    b"*/*;q=x", b"-1", b"9" * 400, "\u0662".encode(), b"127.0.0.1, 256.1.1.1", b"[::1", b"bytes=9-0",
    b"0001-01-01T00:00:00+14:00",
)  # fmt: skip

CREDENTIALS = (
    *HEADERS, b"Basic", b"Basic ", b"Basic \xff", b"Basic =", b"Basic /w==", b"Basic Og==", b"Basic YTpi",
    b"Basic JWZmOiVmZg==",
    b"Basic AGE6AGI=", b"Bearer", b"Bearer ", b"Bearer \xff", b"Bearer  x y", b"Bearer " + b"x" * 8000, b"Digest x",
)  # fmt: skip
