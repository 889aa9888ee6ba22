"""What is read of a response that violates HTTP after its status line."""

from airside.webhooks.malformed import MAX_HEADER_BYTES, MAX_HEADERS, read_malformed

STATUS = b"HTTP/1.1 200 OK\r\n"


def headers_of(*lines: bytes) -> list[tuple[bytes, bytes]]:
    read = read_malformed(STATUS + b"\r\n".join(lines) + b"\r\n\r\n")
    assert read is not None
    return read.headers


def test_a_line_without_a_colon_is_no_header() -> None:
    assert headers_of(b"nonsense", b"Retry-After: 5", b"more of it") == [(b"Retry-After", b"5")]


def test_no_more_headers_are_kept_than_the_limit() -> None:
    lines = [b"x-%d: 1" % number for number in range(MAX_HEADERS + 50)]
    assert headers_of(*lines) == [(b"x-%d" % number, b"1") for number in range(MAX_HEADERS)]


def test_a_long_header_is_cut_also_where_it_is_folded() -> None:
    long = b"x" * (MAX_HEADER_BYTES + 1)
    assert headers_of(b"a: " + long) == [(b"a", long[:-1])]
    assert headers_of(b"a: 1", b" " + long) == [(b"a", (b"1 " + long)[:MAX_HEADER_BYTES])]


def test_a_header_with_control_characters_or_without_a_name_is_left_out() -> None:
    assert headers_of(b"a: 1\x00", b": 2", b"b: 3") == [(b"b", b"3")]


def test_interim_responses_are_skipped_and_a_switch_of_protocols_is_final() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
    read = read_malformed(interim + STATUS + b"a: 1\r\n\r\nbody")
    assert read is not None
    assert (read.status, read.headers, read.body, read.is_whole) == (200, [(b"a", b"1")], b"body", True)
    switched = read_malformed(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    assert switched is not None
    assert switched.status == 101
    assert read_malformed(interim) is None
    assert read_malformed(b"HTTP/1.1 103 Early Hints\r\nLink: a") is None


def test_a_head_that_has_not_ended_is_not_whole() -> None:
    read = read_malformed(STATUS + b"a: 1\r\nb: 2")
    assert read is not None
    assert (read.headers, read.body, read.is_whole) == ([(b"a", b"1")], b"", False)
