"""Conversion as a whole: child process, atomic folder, clear errors."""

import json
import os
import subprocess
import sys

import numpy as np
import psutil
import pytest
from tiny_model import TinySpec, tiny_card, tiny_gguf, tiny_weights

from aide_lsp.convert.convert import convert, run_worker
from aide_lsp.errors import ConversionError
from aide_lsp.inference.onnx.model_folder import read_model_folder, verify_files
from tests.patience import PATIENCE


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def leftovers(folder):
    return [path.name for path in folder.iterdir() if "partial" in path.name]


@pytest.mark.parametrize("recipe", ["exact", "fast"])
def test_convert_writes_a_folder_that_verifies(source, tmp_path, recipe):
    steps = []
    folder = convert(source, tmp_path / "model", tiny_card(), recipe, lambda *step: steps.append(step))
    info = read_model_folder(folder)
    assert verify_files(folder) == []
    assert {file.name for file in info.files} == {
        *("model.onnx", "model.onnx.data", "head.onnx", "head_rows.onnx", "tokenizer.json")
    }
    assert (info.recipe, info.architecture, info.vocab_size, info.fim) == (
        recipe,
        "qwen2",
        384,
        "qwen2.5-coder",
    )
    assert len(info.end_tokens) == 4
    fractions = [fraction for fraction, _ in steps]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert leftovers(tmp_path) == []


def test_convert_keeps_a_folder_that_is_intact(source, tmp_path):
    folder = convert(source, tmp_path / "model", tiny_card())
    before = (folder / "model.onnx").stat().st_ino
    convert(source, tmp_path / "model", tiny_card())
    assert (folder / "model.onnx").stat().st_ino == before


@pytest.mark.parametrize("name", ["model.onnx.data", "manifest.json", "tokenizer.json"])
def test_convert_replaces_a_folder_that_was_damaged(source, tmp_path, name):
    folder = convert(source, tmp_path / "model", tiny_card())
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-20] + b"x" * 20)
    convert(source, folder, tiny_card())
    assert (folder / name).read_bytes() == whole


def test_convert_replaces_a_folder_of_another_recipe(source, tmp_path):
    convert(source, tmp_path / "model", tiny_card(), "exact")
    folder = convert(source, tmp_path / "model", tiny_card(), "fp16")
    assert read_model_folder(folder).kv_dtype == "float16"


def test_convert_is_repeatable_to_the_byte(source, tmp_path):
    folders = [convert(source, tmp_path / name, tiny_card(), "fast") for name in ("a", "b")]
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in folders]
    assert manifests[0] == manifests[1]


def test_convert_removes_what_a_killed_conversion_left(source, tmp_path):
    (tmp_path / ".model.4711.partial").mkdir()
    (tmp_path / ".model.4711.partial" / "model.onnx.data").write_bytes(b"half")
    convert(source, tmp_path / "model", tiny_card())
    assert leftovers(tmp_path) == []


def fails(source, tmp_path, card=None, recipe="exact"):
    with pytest.raises(ConversionError) as caught:
        convert(source, tmp_path / "model", card or tiny_card(), recipe)
    assert not (tmp_path / "model").exists()
    assert leftovers(tmp_path) == []
    return str(caught.value)


def test_convert_when_not_gguf_then_says_so(tmp_path):
    (tmp_path / "page.gguf").write_bytes(b"<!DOCTYPE html><title>Not found</title>")
    assert "not a GGUF file" in fails(tmp_path / "page.gguf", tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_convert_when_cut_short_then_says_so(source, tmp_path, share):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(source.read_bytes()[: int(source.stat().st_size * share)])
    message = fails(cut, tmp_path)
    assert "too short" in message or "truncated" in message


def test_convert_when_architecture_is_unknown_then_names_the_known(tmp_path):
    message = fails(tiny_gguf(tmp_path / "m.gguf", TinySpec(architecture="mamba")), tmp_path)
    assert "'mamba'" in message
    assert "qwen2, qwen3, llama, granite" in message


def test_convert_when_recipe_is_unknown_then_names_the_known(source, tmp_path):
    assert "exact, int4, fast" in fails(source, tmp_path, recipe="best")


def test_convert_when_end_token_is_missing_then_names_it(source, tmp_path):
    assert "<|nowhere|>" in fails(source, tmp_path, card=tiny_card(end_tokens=["<|nowhere|>"]))


def test_convert_when_tensor_is_missing_then_names_it(tmp_path, monkeypatch):
    weights = tiny_weights(TinySpec())
    del weights["blk.1.ffn_up.weight"]
    monkeypatch.setattr("tiny_model.tiny_weights", lambda _: weights)
    assert "'blk.1.ffn_up.weight'" in fails(tiny_gguf(tmp_path / "m.gguf"), tmp_path)


def test_convert_when_shape_is_wrong_then_says_what_was_expected(tmp_path, monkeypatch):
    weights = tiny_weights(TinySpec())
    weights["blk.0.attn_k.weight"] = weights["blk.0.attn_k.weight"][:16]
    monkeypatch.setattr("tiny_model.tiny_weights", lambda _: weights)
    assert "(16, 64), expected (32, 64)" in fails(tiny_gguf(tmp_path / "m.gguf"), tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("scaling.type", "longrope", "rotary scaling 'longrope'; supported: none, linear, yarn"),
        ("scaling.yarn_attn_factor", 0.5, "scaled attention"),
        ("dimension_count", 7.0, "rotates 7 of 16 dimensions"),
        ("dimension_count", 32.0, "rotates 32 of 16 dimensions"),
        ("scaling.factor", -2.0, "above 0 in 'qwen2.rope.scaling.factor', found -2.0"),
        ("scaling.factor", "four", "above 0 in 'qwen2.rope.scaling.factor', found 'four'"),
    ],
)
def test_convert_when_positions_are_scaled_otherwise_then_says_how(tmp_path, key, value, said):
    spec = TinySpec(rope_scaling=((key, value),))
    assert said in fails(tiny_gguf(tmp_path / "m.gguf", spec), tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("expert_count", 8, "mixture of experts"),
        ("attention.causal", False, "no model that continues text"),
        ("attention.value_length", 32, "value heads and key heads of different widths"),
        ("attention.head_count_kv", 3, "not a multiple of its KV heads"),
        ("logit_scale", 4.0, "has 'qwen2.logit_scale' = 4.0, which Aide cannot apply to a 'qwen2' model"),
        ("attn_logit_softcapping", 50.0, "'qwen2.attn_logit_softcapping' = 50.0"),
    ],
)
def test_convert_when_something_else_would_be_computed_then_says_what(tmp_path, key, value, said):
    spec = TinySpec(metadata=((key, value),))
    assert said in fails(tiny_gguf(tmp_path / "m.gguf", spec), tmp_path)


@pytest.mark.parametrize(
    ("architecture", "recipe", "said"),
    [
        ("starcoder2", "fast", "lack a gate; use the recipe 'exact'"),
        ("olmo2", "fast", "lack norms before them; use the recipe 'exact'"),
        ("gemma2", "fp16", "large values of a 'gemma2' model; use the recipe 'exact'"),
    ],
)
def test_convert_when_the_recipe_does_not_fit_the_architecture_then_says_which_does(
    tmp_path, architecture, recipe, said
):
    source = tiny_gguf(tmp_path / "m.gguf", TinySpec(architecture, biases=False))
    assert said in fails(source, tmp_path, recipe=recipe)


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("output.bias", 384, "has a tensor 'output.bias' that the conversion cannot use"),
        ("blk.0.attn_q_norm.weight", 16, "has a tensor 'blk.0.attn_q_norm.weight' that"),
        ("blk.2.attn_norm.weight", 64, "has a tensor 'blk.2.attn_norm.weight' that"),
        ("blk.0.ffn_down.bias", 63, "'blk.0.ffn_down.bias' is (63,), expected (64,)"),
        ("blk.0.attn_norm.weight", 63, "'blk.0.attn_norm.weight' is (63,), expected (64,)"),
        ("output_norm.weight", 1, "'output_norm.weight' is (1,), expected (64,)"),
        ("rope_freqs.weight", 9, "'rope_freqs.weight' is (9,), expected (8,)"),
    ],
)
def test_convert_when_a_tensor_is_unknown_or_of_another_size_then_refused(
    tmp_path, monkeypatch, name, size, said
):
    weights = tiny_weights(TinySpec()) | {name: np.ones(size, np.float32)}
    monkeypatch.setattr("tiny_model.tiny_weights", lambda _: weights)
    assert said in fails(tiny_gguf(tmp_path / "m.gguf"), tmp_path)


@pytest.mark.parametrize(("hidden", "heads"), [(96, 4), (32, 4)])
def test_convert_when_heads_have_a_width_that_the_runtime_cannot_rotate_then_refused(tmp_path, hidden, heads):
    spec = TinySpec(hidden_size=hidden, head_count=heads)
    assert "multiples of 16" in fails(tiny_gguf(tmp_path / "m.gguf", spec), tmp_path)


def test_run_worker_when_killed_then_speaks_of_memory(tmp_path, monkeypatch):
    (tmp_path / "killed_worker.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ConversionError, match="memory"):
        run_worker("killed_worker", {}, lambda *_: None)


def test_run_worker_when_it_crashes_then_shows_its_last_words(tmp_path, monkeypatch):
    (tmp_path / "crashing_worker.py").write_text("raise RuntimeError('no such luck')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ConversionError, match="RuntimeError: no such luck"):
        run_worker("crashing_worker", {}, lambda *_: None)


def test_run_worker_when_progress_raises_then_ends_the_worker(source, tmp_path):
    def refuse(*_):
        raise KeyboardInterrupt

    before = psutil.Process().children()
    with pytest.raises(KeyboardInterrupt):
        convert(source, tmp_path / "model", tiny_card(), progress=refuse)
    assert [child for child in psutil.Process().children() if child not in before] == []
    assert leftovers(tmp_path) == []


def test_worker_ends_when_its_parent_is_killed(tmp_path):
    """The parent hands over a job that never ends, and dies."""
    (tmp_path / "endless_worker.py").write_text(
        "import os, time\n"
        "from aide_lsp.convert.worker import serve_one\n"
        "def work(job, report):\n"
        "    report(0.5, str(os.getpid()))\n"
        "    time.sleep(600)\n"
        "serve_one(work)\n"
    )
    parent_code = (
        "from aide_lsp.convert.convert import run_worker\n"
        "run_worker('endless_worker', {}, lambda share, step: print(step, flush=True))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    gone, alive = psutil.wait_procs([worker], timeout=PATIENCE)
    for process in alive:
        process.kill()
    assert gone


def test_two_conversions_of_one_destination_take_turns(source, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(convert, source, tmp_path / "model", tiny_card()) for _ in range(2)]
        folders = {job.result() for job in jobs}
    assert folders == {tmp_path / "model"}
    assert verify_files(tmp_path / "model") == []
    assert leftovers(tmp_path) == []


def test_fast_is_refused_where_integer_sums_would_be_clipped(source, tmp_path, monkeypatch):
    from aide_lsp.convert import worker as conversion_worker

    monkeypatch.setattr(conversion_worker, "integer_products_are_exact", lambda: False)
    job = {"source": str(source), "folder": str(tmp_path), "model": tiny_card(), "recipe": "fast"}
    with pytest.raises(ConversionError, match="use the recipe 'exact'"):
        conversion_worker.write_model_folder(job)
