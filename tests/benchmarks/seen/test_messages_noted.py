"""What editor and server send each other passes unchanged, and is noted."""

import subprocess
import sys

from benchmarks.seen import wire
from tests.lsp.raw_client import frame
from tests.patience import PATIENCE

ECHO = """
import sys
while piece := sys.stdin.buffer.read1(1 << 16):
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
"""


def test_every_byte_passes_and_every_message_is_noted(tmp_path):
    server = tmp_path / "server"
    server.write_text(f"#!{sys.executable}\n{ECHO}", encoding="utf-8")
    server.chmod(0o755)
    program = wire.install(tmp_path / "notes", server)
    bodies = [{"method": "initialize", "id": 1}, {"text": "ä" * 100_000}, {"id": 1, "result": None}]
    sent = b"".join(map(frame, bodies))
    done = subprocess.run([program], input=sent, capture_output=True, timeout=PATIENCE, check=True)
    assert done.stdout == sent
    noted = wire.read(tmp_path / "notes")
    assert [message.body for message in noted if message.by_client] == bodies
    assert [message.body for message in noted if not message.by_client] == bodies
    assert [message.at for message in noted] == sorted(message.at for message in noted)
