"""Frames: tolerant where clients differ, strict where continuing would leave the server deaf."""

from io import BytesIO

import pytest

from aide_lsp.lsp.rpc.framing import FrameError, frame, read_body, read_length


def read_frame(stream):
    length = read_length(stream)
    return None if length is None else read_body(stream, length)


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: 2\r\n\r\n{}",
        b"content-length: 2\r\n\r\n{}",
        b"CONTENT-LENGTH:2\r\n\r\n{}",
        b"Content-Length: 2\n\n{}",
        b"Content-Type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 2\r\nX-Other: a:b\r\n\r\n{}",
        b"\r\n\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_header_in_any_honest_form_is_read(data):
    assert read_frame(BytesIO(data)) == b"{}"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"Content-Length: -1\r\n\r\n", "not a number"),
        (b"Content-Length: two\r\n\r\n{}", "not a number"),
        (b"Content-Length: 10000000000000\r\n\r\n{}", "larger than 256 MiB"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}", "larger than 256 MiB"),
        (b"Content-Length: 268435457\r\n\r\n{}", "larger than 256 MiB"),
        (b"Content-Type: text\r\n\r\n{}", "no Content-Length"),
        (b"X: " + b"x" * 9000 + b"\r\n\r\n", "longer than 8 KiB"),
        (b"X: y\r\n" * 2000, "longer than 8 KiB"),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "malformed"),
        (b"Content-Length: 9\r\n\r\n{}", "within a message"),
        (b"Content-Len", "within a header"),
        (b"Content-Length: 2\r\n", "within a header"),
    ],
)
def test_header_that_leaves_the_stream_out_of_step_is_refused(data, fault):
    with pytest.raises(FrameError, match=fault):
        read_frame(BytesIO(data))


def test_frames_follow_each_other_until_the_stream_ends():
    stream = BytesIO(frame(b"one") + frame(b"") + frame("é".encode()))
    assert [read_frame(stream) for _ in range(4)] == [b"one", b"", "é".encode(), None]
