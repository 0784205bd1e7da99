"""A model small enough to be fetched in a test: its bytes, its wheels, its card."""

import hashlib
import random
import zipfile
from pathlib import Path

import pytest
from attrs import evolve, frozen

from aide_lsp.catalog.cards import Card, HubSource, WheelPart, WheelsSource

PART_SIZES = (70_000, 70_000, 30_000)


@frozen
class TinyModel:
    """A card, the bytes it pins, and a folder with the wheels that hold them."""

    card: Card
    data: bytes
    wheels: Path

    def wheel(self, number: int) -> Path:
        return self.wheels / f"tiny_part{number}-1.0-py3-none-any.whl"

    def repin(self, number: int) -> "TinyModel":
        """The same model with the card's pin of a changed wheel renewed, as a careless author would."""
        (source,) = (source for source in self.card.sources if isinstance(source, WheelsSource))
        parts = list(source.parts)
        parts[number - 1] = evolve(parts[number - 1], sha256=sha256(self.wheel(number).read_bytes()))
        return evolve(self, card=evolve(self.card, sources=(WheelsSource(tuple(parts)),)))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_wheel(file: Path, name: str, member: str, data: bytes) -> None:
    """Write a wheel that pip accepts."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, data)
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def tiny_model(tmp_path):
    """A model of 170,000 bytes in three wheels."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    data = random.Random(1).randbytes(sum(PART_SIZES))
    parts, start = [], 0
    for number, size in enumerate(PART_SIZES, 1):
        member = f"tiny_part{number}/part.bin"
        file = wheels / f"tiny_part{number}-1.0-py3-none-any.whl"
        write_wheel(file, f"tiny_part{number}", member, data[start : start + size])
        parts.append(WheelPart(f"tiny-part{number}", "1.0", member, size, sha256(file.read_bytes())))
        start += size
    card = Card(
        id="tiny",
        name="Tiny",
        license="MIT",
        description="",
        default=False,
        file="tiny.gguf",
        size=len(data),
        sha256=sha256(data),
        converted_size=1000,
        context_length=64,
        fim=None,
        end_tokens=(),
        recipes={"cpu": "exact", "cuda": "fp16"},
        sources=(WheelsSource(tuple(parts)),),
        path=None,
        origin=tmp_path / "tiny.toml",
    )
    return TinyModel(card, data, wheels)


@pytest.fixture
def hub_source():
    return HubSource("someone/tiny", "tiny.gguf", "0" * 40)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Data and configuration folders of this test's own."""
    monkeypatch.setenv("AIDE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("aide_lsp.catalog.cards.user_folder", lambda: tmp_path / "config" / "aide" / "models")
    return tmp_path
