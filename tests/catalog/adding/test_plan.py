"""What a model's own metadata becomes: a card, or a refusal in one sentence."""

import os
import re
import shutil
import stat
import struct
import time
import tomllib

import pytest

from aide_lsp.catalog.adding.draft import id_from, write_card
from aide_lsp.catalog.cards import load_catalog, user_folder
from aide_lsp.errors import AideError, CardError
from tests.catalog.adding.conftest import REPO
from tests.catalog.adding.gguf_bytes import gguf, metadata, tensors
from tests.tiny_model import tiny_gguf


@pytest.fixture
def refused(plan, folders):
    """Plan to add a file with these bytes; give the message that refuses it."""

    def refused(data, name="model.gguf", **options):
        (folders / name).write_bytes(data)
        with pytest.raises(AideError) as error:
            plan(folders / name, **options)
        message = str(error.value)
        assert (len(message) < 600, "\n" in message) == (True, False)
        assert not user_folder().exists()
        return message

    return refused


@pytest.fixture
def planned(plan, folders):
    """Plan to add a file with these bytes."""

    def planned(data, name="model.gguf", **options):
        (folders / name).write_bytes(data)
        return plan(folders / name, **options)

    return planned


def test_card_says_what_the_file_says(planned, folders):
    card = planned(gguf(), "My Coder-Q4_K_M.gguf").card
    assert (card.id, card.name, card.license) == ("my-coder", "Tiny", "unknown")
    assert (card.context_length, card.fim) == (512, "qwen2.5-coder")
    assert card.end_tokens[0] == "<|endoftext|>"
    assert card.path == folders / "My Coder-Q4_K_M.gguf"
    assert card.recipes == {"cpu": "exact", "cuda": "fp16"}


def test_format_is_that_of_the_vocabulary_and_not_of_the_name(planned):
    tokens = [one.replace("fim_", "hole_") for one in metadata()["tokenizer.ggml.tokens"]]
    plan = planned(gguf(metadata(tokenizer__ggml__tokens=tokens)), "qwen2.5-coder.gguf")
    assert plan.card.fim is None
    assert "has no tokens for filling in the middle" in plan.notes[0]


def test_tokens_of_a_format_that_is_unknown_are_named(planned):
    tokens = [one.replace("fim_prefix", "fim_start") for one in metadata()["tokenizer.ggml.tokens"]]
    plan = planned(gguf(metadata(tokenizer__ggml__tokens=tokens)))
    assert plan.card.fim is None
    assert "<|fim_start|>, <|fim_middle|>" in plan.notes[0]


def test_format_that_the_user_names_must_fit_the_vocabulary(planned, refused):
    assert planned(gguf(), fim="qwen2.5-coder-psm").card.fim == "qwen2.5-coder-psm"
    chosen = planned(gguf(), fim="prefix")
    assert (chosen.card.fim, chosen.notes) == ("prefix", ())
    assert "its vocabulary has no <fim_prefix>, " in refused(gguf(), fim="starcoder")


REFUSED = [
    ("not GGUF", b"\x7fELF" + bytes(100), "is not a GGUF file"),
    ("empty", b"", "is not a GGUF file"),
    ("four bytes", b"GGUF", "ends within its metadata"),
    ("version 1", b"GGUF\x01" + bytes(60), "GGUF"),
    ("big-endian", b"GGUF\x00\x00\x00\x03" + bytes(60), "GGUF"),
    ("cut within metadata", gguf()[:2000], "ends within its metadata"),
    ("cut within weights", gguf()[:-5000], "damaged or truncated"),
    ("cut at the weights", gguf(weights=False), "is incomplete"),
    ("architecture", gguf(metadata(general__architecture="mamba")), "mamba"),
    ("no architecture", gguf(metadata(general__architecture=None)), "architecture"),
    ("encoder of images", gguf(metadata(general__architecture="clip")), "image encoder of another model"),
    ("projector", gguf(metadata(general__type="mmproj")), "image encoder of another model"),
    ("adapter", gguf(metadata(general__type="adapter")), r"an adapter \(LoRA\)"),
    ("embeddings", gguf(metadata(qwen2__pooling_type=1)), "is an embedding model"),
    ("bert", gguf(metadata(general__architecture="nomic-bert")), "is an embedding model"),
    ("split", gguf(metadata(split__count=2)), "is one of several parts of a model"),
    ("vocabulary only", gguf(shapes={}), "has a vocabulary and no weights"),
    ("tokenizer", gguf(metadata(tokenizer__ggml__model="t5")), "t5"),
    ("pre-tokenizer", gguf(metadata(tokenizer__ggml__pre="nobody's")), "nobody's"),
    ("no vocabulary", gguf(metadata(tokenizer__ggml__tokens=None)), "tokenizer.ggml.tokens"),
    ("type of weights", gguf(type_id=20, weights=False), "as IQ4_NL, which Aide cannot read"),
    ("another tensor", gguf(shapes=tensors() | {"blk.0.ssm_a": (64,)}), "blk.0.ssm_a"),
    ("missing tensor", gguf(shapes={"output_norm.weight": (64,)}), "token_embd.weight"),
    ("experts", gguf(metadata(qwen2__expert_count=8)), "experts"),
    ("negative", gguf(metadata(qwen2__block_count=-1)), "block_count"),
    ("zero", gguf(metadata(qwen2__attention__head_count=0)), "head_count"),
    ("text for a number", gguf(metadata(qwen2__embedding_length="64")), "embedding_length"),
    ("number for a text", gguf(metadata(tokenizer__ggml__tokens=[1, 2])), "tokens"),
    ("long name of a tokenizer", gguf(metadata(tokenizer__ggml__pre="x" * 100_000)), "xxx"),
    ("long name of an architecture", gguf(metadata(general__architecture="x" * 100_000)), "xxx"),
    (
        "huge tensor",
        gguf(shapes=tensors() | {"output.weight": (64, 1 << 60)}, weights=False),
        "output.weight",
    ),
]


@pytest.mark.parametrize(("data", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_file_that_cannot_be_run_is_refused_before_anything_is_written(refused, data, said):
    assert re.search(said, refused(data))


def test_same_refusals_hold_for_the_hub_and_only_the_beginning_is_read(plan, hub):
    hub.repos[REPO]["tiny.gguf"] = gguf(metadata(general__architecture="mamba")) + bytes(40 << 20)
    with pytest.raises(AideError, match="mamba"):
        plan(f"hf:{REPO}/tiny.gguf")
    assert hub.sent < 41 << 20
    assert [one for one in hub.seen if one.startswith("HEAD")] == []


def test_part_of_a_model_is_known_by_its_name_too(refused):
    assert "is one of several parts" in refused(gguf(), "x-00001-of-00003.gguf")


def test_table_that_is_stored_twice_counts_once_where_the_file_says_so(planned):
    twice = tensors() | {"output.weight": tensors()["token_embd.weight"]}
    once = planned(gguf()).facts.parameters
    assert planned(gguf(metadata(general__size_label="0.05M"), twice)).facts.parameters == once
    assert planned(gguf(metadata(), twice)).facts.parameters == once + 64 * 320


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.onnx", "Add the folder that holds it"),
        ("model.safetensors", "convert_hf_to_gguf.py"),
        ("notes.txt", "Give the path of a GGUF file"),
    ],
)
def test_other_kinds_of_files_get_advice(refused, name, said):
    assert said in refused(b"something else", name)


HOSTILE = "evil\x1b]0;title\x07\u202egguf\n[[sources]]\nkind = \"hub\" \\ ''' " + "x" * 10_000


def test_metadata_with_anything_in_it_becomes_a_harmless_card(planned, folders):
    tokens = [*metadata()["tokenizer.ggml.tokens"][:-1], "\x1b[31m\n"]
    said = metadata(
        general__name=HOSTILE,
        general__license=HOSTILE,
        tokenizer__ggml__tokens=tokens,
        tokenizer__ggml__eot_token_id=len(tokens) - 1,
        tokenizer__ggml__eom_token_id=10_000_000,
    )
    plan = planned(gguf(said), "a.gguf")
    assert plan.text is not None
    # One table, and nothing that a terminal would follow.
    assert "sources" not in tomllib.loads(plan.text)
    assert all(one.isprintable() for one in plan.text.split("\n"))
    assert len(plan.card.name) <= 80
    assert "\x1b[31m\n" not in plan.card.end_tokens
    written = write_card(plan.text, plan.card.id)
    assert load_catalog().cards["a"] == written


@pytest.mark.parametrize("kind", [8, 0])
def test_header_of_megabytes_is_bounded_in_time(refused, kind):
    # An array of 4 million texts, each empty, or of 16 million numbers.
    count = 4_000_000 if kind == 8 else 16_000_000
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60) + struct.pack("<Q1sIIQ", 1, b"a", 9, kind, count)
    started = time.thread_time()
    refused(data + bytes(40_000_000))
    assert time.thread_time() - started < 60


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf", "qwen2.5-coder-7b-instruct"),
        ("mellum-4b.BF16.GGUF", "mellum-4b"),
        ("a b/../c.gguf", "a-b-..-c"),
        ("../../etc/passwd", "etc-passwd"),
        ("модель.gguf", "model"),
        ("con.gguf", "model-con"),
        ("aux.q8_0.gguf", "model-aux"),
        ("-x-.gguf", "x"),
        ("x" * 500, "x" * 60),
        ("", "model"),
        ("taken-Q8_0.gguf", "taken-3"),
    ],
)
def test_id_is_a_safe_and_unused_file_name(name, model_id):
    assert id_from(name, {"taken", "taken-2"}) == model_id


def test_id_that_is_taken_is_never_replaced(planned, folders):
    first = planned(gguf(), "a.gguf", model_id="mine")
    write_card(first.text, "mine")
    assert planned(gguf(), "b.gguf").card.id == "b"
    with pytest.raises(CardError, match="is that of another model"):
        planned(gguf(), "b.gguf", model_id="mine")
    with pytest.raises(CardError, match="is that of another model"):
        planned(gguf(), "b.gguf", model_id="smollm2-135m")
    # No card is named, since there is none.
    with pytest.raises(CardError, match=r"^'\.\./evil' cannot be an id. Expected lowercase letters"):
        planned(gguf(), "b.gguf", model_id="../evil")


def test_file_that_was_added_keeps_its_card(planned, folders):
    first = planned(gguf(), "a.gguf")
    write_card(first.text, "a")
    again = planned(gguf(), "a.gguf")
    assert (again.card, again.text) == (load_catalog().cards["a"], None)
    # Under another id it gets a card of its own.
    assert planned(gguf(), "a.gguf", model_id="other").text is not None
    with pytest.raises(CardError, match=r'with the format qwen2\.5-coder.*write fim = "prefix" into it'):
        planned(gguf(), "a.gguf", fim="prefix")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_card_is_written_for_the_user_alone_and_over_nothing(planned, folders):
    plan = planned(gguf(), "a.gguf")
    # The folder may be a link, as the rest of a user's configuration.
    elsewhere = folders / "dotfiles"
    elsewhere.mkdir()
    user_folder().parent.mkdir(parents=True)
    user_folder().symlink_to(elsewhere)
    write_card(plan.text, "a")
    assert stat.S_IMODE((elsewhere / "a.toml").stat().st_mode) == 0o600
    assert names(elsewhere) == ["a.toml"]
    (elsewhere / "b.toml").symlink_to(folders / "precious")
    with pytest.raises(CardError, match="exists already"):
        write_card(plan.text, "b")
    assert not (folders / "precious").exists()
    assert names(elsewhere) == ["a.toml", "b.toml"]


def test_folder_that_cannot_be_written_is_a_message(planned, folders):
    plan = planned(gguf(), "a.gguf")
    user_folder().parent.mkdir(parents=True)
    user_folder().write_text("a file", encoding="utf-8")
    with pytest.raises(CardError, match=r"a\.toml cannot be written: .* is a file, not a folder\. Fix"):
        write_card(plan.text, "a")


def test_folder_with_one_gguf_file_is_that_file_and_with_several_a_question(plan, folders):
    folder = folders / "models"
    folder.mkdir()
    with pytest.raises(AideError, match="neither a GGUF file nor an ONNX model"):
        plan(folder)
    tiny_gguf(folder / "a.gguf")
    assert plan(folder).card.path == folder / "a.gguf"
    shutil.copy(folder / "a.gguf", folder / "b.gguf")
    with pytest.raises(AideError, match=r"has 2 GGUF files \(a.gguf, b.gguf\)"):
        plan(folder)


def test_pipe_is_not_waited_for(plan, folders):
    os.mkfifo(folders / "pipe.gguf")
    with pytest.raises(AideError, match="is not a regular file"):
        plan(folders / "pipe.gguf")


def test_card_of_the_hub_pins_what_the_hub_says(plan, hub):
    card = plan(f"hf:{REPO}").card
    (source,) = card.sources
    assert (source.repo, source.file, source.revision) == (REPO, "tiny.gguf", "c0ffee" * 6 + "abcd")
    assert (card.file, card.size) == ("tiny.gguf", len(hub.repos[REPO]["tiny.gguf"]))
    assert card.converted_size > 0
