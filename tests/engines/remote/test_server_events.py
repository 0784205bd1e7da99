"""The stream of events in a server's answer, however its bytes arrive."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.engines.remote.http.events import LONGEST_EVENT, MOST_LINES, EventParser, UnreadableEventError


def parsed(*pieces):
    parser = EventParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return [*events, *parser.finish()], parser.is_done


def sse(events, end="\n"):
    return "".join(f"data: {json.dumps(event, ensure_ascii=False)}{end}{end}" for event in events).encode()


EVENT = st.dictionaries(st.text(max_size=3), st.text(max_size=8) | st.integers() | st.none(), max_size=3)


EVENTS = st.lists(EVENT, max_size=6)
PLACES = st.lists(st.integers(0, 400), max_size=8)


def cut(stream, places):
    ends = sorted({0, *(place % (len(stream) + 1) for place in places), len(stream)})
    return [stream[start:end] for start, end in itertools.pairwise(ends)]


@given(EVENTS, PLACES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_events_are_the_same_however_the_bytes_are_cut(events, places, end):
    stream = b": ping" + end.encode() + sse(events, end) + f"data: [DONE]{end}{end}".encode()
    assert parsed(*cut(stream, places)) == (events, True)


@given(EVENTS, PLACES)
def test_objects_one_per_line_are_read_too(events, places):
    stream = "\n".join(json.dumps(event, ensure_ascii=False) for event in events).encode()
    assert parsed(*cut(stream, places)) == (events, False)


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_an_error(data):
    try:
        events, _ = parsed(data)
    except UnreadableEventError:
        return
    assert all(isinstance(event, dict) for event in events)


def test_other_fields_comments_and_what_follows_the_end_are_ignored():
    stream = b'event: message\nid: 7\nretry: 3\n: ping\ndata:{"a":1}\n\ndata: [DONE]\n\ndata: {"b":2}\n'
    assert parsed(stream) == ([{"a": 1}], True)


def test_one_event_in_several_lines_and_without_a_blank_line_between_events():
    assert parsed(b'data: {"a":\ndata: 1}\ndata: {"b": 2}\n') == ([{"a": 1}, {"b": 2}], False)


def test_older_errors_of_llama_cpp_are_events():
    assert parsed(b'error: {"code":500,"message":"no"}\n\n')[0] == [{"error": {"code": 500, "message": "no"}}]


def test_invalid_utf_8_is_replaced():
    assert parsed(b'data: {"a": "\xff"}\n')[0] == [{"a": "\ufffd"}]


@pytest.mark.parametrize(
    "stream",
    [
        b"data: [1, 2]\n\n",
        b'data: {"a": \n\n',
        b'data: {"a": ',
        b"<html>\n<p>no</p></html>\n",
        b"data: " + b'{"a":' * 100_000 + b"\n\n",
    ],
    ids=["no object", "cut off", "no end", "a page", "deep"],
)
def test_what_is_no_event_is_an_error(stream):
    with pytest.raises(UnreadableEventError):
        parsed(stream)


def test_an_event_of_many_lines_is_an_error_long_before_its_length_is():
    with pytest.raises(UnreadableEventError, match="an event has no end"):
        parsed(*itertools.repeat(b'data: "\n', MOST_LINES + 1))


def test_a_line_without_end_is_an_error_long_before_memory_is_short():
    with pytest.raises(UnreadableEventError, match="no end"):
        parsed(*itertools.repeat(b"x" * 100, LONGEST_EVENT // 100 + 1))
