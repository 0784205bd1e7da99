"""`aide models add` as a newcomer runs it: a fresh home, real processes, up to a completion."""

import hashlib
import json
import re
import shutil
import stat
import tomllib
from threading import Event

import numpy as np
import pytest

from tests.catalog.adding.gguf_bytes import gguf, metadata, tensors
from tests.cli.models.conftest import REPO
from tests.hub_stand_in import COMMIT
from tests.inference.onnx import exported_decoder
from tests.tiny_model import TinySpec, tiny_gguf, tiny_model_folder, tiny_weights

FILE = f"hf:{REPO}/tiny-coder-Q4_K_M.gguf"


def cards(home):
    folder = home / "config" / "aide" / "models"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def card(home, model_id):
    return tomllib.loads((home / "config" / "aide" / "models" / f"{model_id}.toml").read_text("utf-8"))


def test_file_on_the_disk_is_added_tested_used_and_removed(run, fresh_home, tiny_file):
    mine = fresh_home / "my models" / "Tiny Coder.Q8_0.gguf"
    mine.parent.mkdir()
    shutil.copy(tiny_file, mine)
    added = run("models", "add", mine.relative_to(fresh_home), "--yes", "--use")
    assert added.returncode == 0, added.stderr
    # What was found and what it will cost is said before the conversion begins.
    for words in ("qwen2.5-coder (it has <|fim_prefix|>", "mostly Q8_0", "2,048 tokens", "the conversion,"):
        assert words in added.stdout
    levels = re.findall(r"^  (ok|warn|fail) +(\w[\w ]*?)  ", added.stdout, re.MULTILINE)
    assert levels[:3] == [("ok", "FIM markers"), ("ok", "Logits"), ("ok", "Same seed")]
    # Its weights are random.
    assert re.search(
        r"warn +Known hole .*write fim = \"prefix\" into its card\.$", added.stdout, re.MULTILINE
    )
    assert "tokens/s generated (CPU, recipe exact)" in added.stdout
    # Its card says what the file says, and is the user's alone.
    written = card(fresh_home, "tiny-coder")
    assert (written["path"], written["fim"], written["context_length"]) == (str(mine), "qwen2.5-coder", 2048)
    assert set(written["end_tokens"]) >= {"<|endoftext|>", "<|file_sep|>"}
    path = fresh_home / "config" / "aide" / "models" / "tiny-coder.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # It is the model in the settings: nothing names it any more.
    (fresh_home / "x.py").write_text("def f(a, b):\n    return \n", encoding="utf-8")
    completed = json.loads(run("complete", "x.py:2:12", "--json", "--show", "all").stdout)
    assert completed["generated_tokens"] > 0
    (listed,) = [one for one in json.loads(run("models", "list", "--json").stdout) if one["used"]]
    assert (listed["id"], listed["added"], listed["recipes"]) == ("tiny-coder", True, ["exact"])
    assert listed["measured"]["generation"] > 0
    assert "tokens/s prefilled" in run("models", "show").stdout
    # Once more: nothing is drafted or converted again.
    again = run("models", "add", mine, "--yes")
    assert "it is there already" in again.stdout
    assert "Converting" not in again.stderr
    assert cards(fresh_home) == ["tiny-coder.toml"]
    removed = run("models", "remove", "tiny-coder", "--yes", "--card")
    assert "removed with its card" in removed.stdout
    assert (cards(fresh_home), mine.exists()) == ([], True)
    assert "tiny-coder" not in run("models", "list").stdout


def test_file_of_the_hub_is_pinned_downloaded_and_verified(run, fresh_home, hub):
    added = run("models", "add", f"hf:{REPO}", "--yes", "--json")
    assert added.returncode == 0, added.stderr
    data = hub.repos[REPO]["tiny-coder-Q4_K_M.gguf"]
    assert "Chosen: tiny-coder-Q4_K_M.gguf. Also there: tiny-coder-q8_0.gguf (0 MB)" in added.stderr
    facts = json.loads(added.stdout)
    assert facts["test"]["checks"][0]["level"] == "ok"
    assert facts["cost"]["download"] == len(data)
    written = card(fresh_home, facts["id"])
    assert (written["size"], written["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert (written["license"], written["sources"][0]["revision"]) == ("apache-2.0", COMMIT)
    assert (fresh_home / "data" / "models" / facts["id"] / written["file"]).read_bytes() == data


def test_nothing_is_downloaded_or_written_without_consent(run, fresh_home, hub):
    asked = run("models", "add", FILE)
    assert asked.returncode == 1
    assert "there is no terminal to ask for your consent. Add --yes" in asked.stderr
    assert "This will take about" in asked.stdout
    assert cards(fresh_home) == []
    # Only the beginning was read, which of so small a file is all there is.
    assert [one for one in hub.seen if one.startswith("HEAD")] == []
    assert not (fresh_home / "data").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nothing.gguf", "There is no file or folder 'nothing.gguf'"),
        ("someone/Tiny-Coder-GGUF", "For a file of the Hugging Face Hub: hf:someone/Tiny-Coder-GGUF"),
        ("hf:someone/missing", "There is no public repository someone/missing at http://127.0.0.1"),
        (f"hf:{REPO}/tiny-coder-Q4_K_S.gguf", "Did you mean tiny-coder-Q4_K_M.gguf?"),
    ],
)
def test_refusal_is_one_sentence_for_people_and_json_for_programs(run, fresh_home, words, said):
    refused = run("models", "add", words, "--yes", "--json")
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert said in refused.stderr
    assert said in json.loads(refused.stdout)["error"]
    assert cards(fresh_home) == []


def test_download_that_is_interrupted_goes_on_with_the_same_command(run, interrupt, fresh_home, hub):
    hub.holds = Event()
    partial = fresh_home / "data" / "models" / "tiny-coder" / "tiny-coder-Q4_K_M.gguf.partial"
    half = len(hub.repos[REPO]["tiny-coder-Q4_K_M.gguf"]) // 2

    def downloading(line):
        while "the same command continues where it stopped" in line:
            if partial.exists() and partial.stat().st_size == half:
                return True
        return False

    assert interrupt("models", "add", FILE, "--yes", when=downloading) == 130
    hub.holds.set()
    hub.holds = None
    hub.seen.clear()
    # The card stays, so that what is on the disk can be seen, continued and removed.
    assert cards(fresh_home) == ["tiny-coder.toml"]
    (listed,) = [one for one in json.loads(run("models", "list", "--json").stdout) if one["added"]]
    assert listed["state"] == "50 % fetched"
    added = run("models", "add", FILE, "--yes")
    assert added.returncode == 0, added.stderr
    assert "tiny-coder.toml (it is there already)" in added.stdout
    assert [one for one in hub.seen if f"bytes={half}-" in one and one.startswith("GET /storage/")]
    assert cards(fresh_home) == ["tiny-coder.toml"]


def test_conversion_that_is_interrupted_leaves_nothing(run, interrupt, fresh_home, tiny_file):
    assert interrupt("models", "add", tiny_file, "--yes", when=lambda line: "Converting" in line) == 130
    assert cards(fresh_home) == []
    left = [path.name for path in (fresh_home / "data" / "models" / "tiny-coder").iterdir()]
    assert [name for name in left if "partial" in name or "exact-" in name.removeprefix(".exact-")] == []
    assert run("models", "add", tiny_file, "--yes", "--no-test").returncode == 0


def test_file_that_differs_from_what_the_hub_said_is_not_kept(run, fresh_home, hub):
    data = hub.repos[REPO]["tiny-coder-Q4_K_M.gguf"]
    hub.stored[hashlib.sha256(data).hexdigest()] = data[:-4] + b"evil"
    failed = run("models", "add", FILE, "--yes")
    assert failed.returncode == 1
    assert "sent a file that does not match the model card" in failed.stderr
    assert "Nothing was added." in failed.stderr
    assert cards(fresh_home) == []
    assert not list((fresh_home / "data").rglob("*.gguf*"))


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A file whose model computes no numbers."""
    weights = tiny_weights(TinySpec()) | {"output_norm.weight": np.full(64, np.nan, np.float32)}
    monkeypatch.setattr("tests.tiny_model.tiny_weights", lambda spec: weights)
    return tiny_gguf(tmp_path / "broken.gguf")


def test_model_that_computes_no_numbers_is_removed_and_the_message_says_so(run, fresh_home, broken):
    failed = run("models", "add", broken, "--yes")
    assert failed.returncode == 1
    assert re.search(r"fail +Logits +The model produced NaN or infinite logits", failed.stdout)
    assert "cannot be used, so its card and its conversion are removed" in failed.stderr
    assert f"Your own file stays: {broken}" in failed.stderr
    assert cards(fresh_home) == []
    assert broken.exists()


def test_card_that_was_there_before_stays_when_its_model_cannot_be_used(run, fresh_home, broken):
    run("models", "add", broken, "--yes", "--no-test")
    assert cards(fresh_home) == ["broken.toml"]
    failed = run("models", "add", broken, "--yes")
    assert failed.returncode == 1
    assert re.search(r"cannot be used\. .* everything stays\. Correct .*broken\.toml", failed.stderr)
    assert cards(fresh_home) == ["broken.toml"]


def test_on_a_terminal_consent_is_asked_for_and_use_is_offered(type_in, fresh_home, tiny_file):
    declined = type_in("models", "add", tiny_file, typed="n\n")
    assert (declined.returncode, cards(fresh_home)) == (1, [])
    assert "Add it as tiny-coder? [Y/n]" in declined.stdout
    agreed = type_in("models", "add", tiny_file, "--id", "mine", typed="\n\n")
    assert agreed.returncode == 0, agreed.stderr
    assert "Use it from now on? [Y/n]" in agreed.stdout
    settings = fresh_home / "config" / "aide" / "settings.toml"
    assert settings.read_text(encoding="utf-8") == 'model = "mine"\n'
    # A model that was added leaves with its card, if the user agrees; their own file stays.
    kept = type_in("models", "remove", "mine", typed="y\nn\n")
    assert (kept.returncode, cards(fresh_home)) == (0, ["mine.toml"])
    gone = type_in("models", "remove", "mine", "--card", typed="y\n")
    assert (gone.returncode, cards(fresh_home), tiny_file.exists()) == (0, [], True)


def test_model_of_a_list_becomes_the_one_in_the_settings(run, fresh_home):
    used = run("models", "use", "smollm2-135m")
    assert 'model = "smollm2-135m" in ' in used.stdout
    (marked,) = re.findall(r"^\* +(\S+)", run("models", "list").stdout, re.MULTILINE)
    assert marked == "smollm2-135m"
    assert run("models", "use", "smoll").returncode == 1


def test_model_that_does_not_fit_is_refused_before_anything_is_downloaded(run, fresh_home, hub):
    wide = 8_000_000
    shapes = {f"blk.0.ffn_{name}.weight": (64, wide) for name in ("gate", "up")}
    shapes |= {"blk.0.ffn_down.weight": (wide, 64)}
    head = gguf(metadata(qwen2__feed_forward_length=wide), tensors() | shapes, weights=False)
    hub.repos[REPO] = {"large.gguf": head}
    hub.has_ranges = False
    facts = {"sha256": "a" * 64, "pointerSize": 134}
    for size, kilobytes, said in (
        (1 << 49, None, "GB of disk space in "),
        (7_000_000_000, 2_200_000, "does not fit into memory: with it Aide needs about"),
    ):
        hub.listing = {"siblings": [{"rfilename": "large.gguf", "lfs": facts | {"size": size}}]}
        refused = run("models", "add", f"hf:{REPO}", "--yes", kilobytes=kilobytes)
        assert said in refused.stderr, refused.stderr
        assert refused.stderr.rstrip().endswith("Nothing was added.")
        assert cards(fresh_home) == []
        assert not (fresh_home / "data").exists()


def test_folder_with_an_exported_model_is_added(run, fresh_home, tmp_path, monkeypatch):
    monkeypatch.setattr(exported_decoder, "VOCAB", 384)
    folder = tmp_path / "exported"
    exported_decoder.write_export(folder)
    converted = tiny_model_folder(tmp_path / "converted")
    (folder / "tokenizer.json").write_bytes((converted / "tokenizer.json").read_bytes())
    added = run("models", "add", folder, "--yes", "--json")
    assert added.returncode == 0, added.stderr
    facts = json.loads(added.stdout)
    assert (facts["id"], facts["recipe"]) == ("exported", "imported")
    assert facts["test"]["speed"]["generation"] > 0
    assert card(fresh_home, "exported")["path"] == str(folder)
    removed = run("models", "remove", "exported", "--yes", "--card", "--json")
    assert json.loads(removed.stdout)["card_removed"] is True
    assert (folder / "model.onnx").exists()
