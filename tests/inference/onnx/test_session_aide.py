"""Converted models: the same bits whatever was run before, on a tiny model and on the real one."""

import argparse
import json
import random
import threading
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_model import tiny_model_folder

from aide_lsp.errors import ModelFilesError, SessionError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.generate import generate
from aide_lsp.inference.onnx.model_folder import FORMAT
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache, RowRule, plan
from aide_lsp.inference.tokenizer import Tokenizer
from aide_lsp.settings.fields import Parameters

NOBODY = CancelToken()
WARM = Parameters(1.0, 50, 0.95, seed=3)
TEXT = np.random.default_rng(1).integers(0, 384, size=2000).tolist()

BLOCK_ENDS = [1, 2, 3, 127, 128, 129, 130, *range(255, 261), 385, *range(511, 515), 1025]
"""Lengths around the blocks of the attention kernel, where a block of one row would be left."""


@pytest.fixture(scope="module", params=["exact", "int4", "fast"])
def tiny_folder(request, tmp_path_factory):
    return tiny_model_folder(tmp_path_factory.mktemp("tiny") / request.param, recipe=request.param)


@pytest.fixture(scope="module")
def tiny(tiny_folder):
    return open_session(tiny_folder, "cpu", 2)


@pytest.fixture(scope="module")
def exact_folder(tmp_path_factory):
    return tiny_model_folder(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def real(real_model_dir):
    return open_session(real_model_dir, "cpu")


@pytest.fixture(scope="module")
def code(real_model_dir):
    """1,026 tokens of source text."""
    text = Path(argparse.__file__).read_text(encoding="utf-8")
    return Tokenizer.from_file(real_model_dir / "tokenizer.json").encode(text[:8000])[:1026]


def run(session, cache, ids, *, chunk_rows=256):
    """Bring the cache to `ids`; return the candidates after the last token."""
    rule = session.row_rule
    past = cache.reuse(ids, rule)
    for chunk in plan(ids, past, rule, chunk_rows):
        candidates = session.forward(chunk.ids, chunk.past, [chunk.row], NOBODY)
        cache.extend(chunk.kept, chunk.past)
    return candidates


def bits(session, candidates, length):
    """Return candidates, keys and values as bytes."""
    arrays = session.kv.arrays(length)
    return {"ids": candidates.ids.tobytes(), "logits": candidates.logits.tobytes()} | {
        name: array.tobytes() for name, array in arrays.items()
    }


def tokens(session, cache, prompt, sampling=WARM, count=4):
    return list(generate(session, cache, prompt, GenerationOptions(sampling, count), CancelToken()))


prompts = st.lists(
    st.tuples(st.integers(1, 200), st.lists(st.integers(0, 383), max_size=3)), min_size=1, max_size=5
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(prompts)
def test_generate_when_cache_is_warm_then_bits_are_those_of_a_cold_one(tiny, history):
    cache = PrefixCache()
    for length, tail in history:
        prompt = TEXT[:length] + tail
        warm = tokens(tiny, cache, prompt), tiny.full_logits().tobytes(), kv_bytes(tiny, len(prompt))
        cold = tokens(tiny, PrefixCache(), prompt), tiny.full_logits().tobytes(), kv_bytes(tiny, len(prompt))
        assert warm == cold


def kv_bytes(session, length):
    return {name: array.tobytes() for name, array in session.kv.arrays(length).items()}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(prompts, st.sampled_from([2, 8, 32, 64, 256]))
def test_forward_when_rows_are_independent_then_chunks_of_any_size_give_the_same_bits(
    exact, history, chunk_rows
):
    """Heads of 16 make blocks of 32 rows here: lengths of 33, 65, 97, ... come up often."""
    cache = PrefixCache()
    for length, tail in history:
        prompt = TEXT[:length] + tail
        warm = bits(exact, run(exact, cache, prompt, chunk_rows=chunk_rows), len(prompt))
        assert warm == bits(exact, run(exact, PrefixCache(), prompt, chunk_rows=512), len(prompt))


@pytest.fixture(scope="module")
def exact(exact_folder):
    session = open_session(exact_folder, "cpu", 2)
    assert session.row_rule == RowRule(multiple=2)
    return session


def test_forward_when_threads_differ_then_bits_are_the_same(exact_folder):
    results = []
    for threads in (1, 2, 3):
        session = open_session(exact_folder, "cpu", threads)
        results.append(bits(session, run(session, PrefixCache(), TEXT[:150]), 150))
    assert results[0] == results[1] == results[2]


def test_forward_when_buffers_grow_then_bits_are_the_same(exact_folder):
    small, large = (open_session(exact_folder, "cpu", 2, capacity) for capacity in (1, 2048))
    cache = PrefixCache()
    for length in (1000, 1030, 1500):
        grown = bits(small, run(small, cache, TEXT[:length]), length)
        assert grown == bits(large, run(large, PrefixCache(), TEXT[:length]), length)
    assert (small.kv.capacity, large.kv.capacity) == (1536, 2048)


def test_forward_when_context_is_exceeded_then_says_so(exact):
    with pytest.raises(SessionError, match="the model takes at most 2048"):
        exact.forward([1, 2], 2047, [1], NOBODY)


def test_forward_when_several_rows_are_requested_then_each_is_as_if_alone(exact):
    together = exact.forward(TEXT[:8], 0, [0, 3, 7], NOBODY)
    assert together.ids.shape == together.logits.shape == (3, exact.candidate_count)
    logits = exact.full_logits()
    for row, index in enumerate((0, 3, 7)):
        alone = exact.forward(TEXT[:8], 0, [index], NOBODY)
        assert alone.ids[0].tolist() == together.ids[row].tolist()
        assert exact.full_logits()[0] == pytest.approx(logits[row], abs=1e-5)


def test_full_logits_when_compared_with_candidates_then_agree(exact):
    got = exact.forward(TEXT[:8], 0, [7], NOBODY)
    logits = exact.full_logits()[0]
    assert logits.shape == (exact.vocab_size,)
    assert (np.diff(got.logits[0]) <= 0).all()
    assert logits[got.ids[0]].tolist() == got.logits[0].tolist()
    assert logits.argmax() == got.ids[0, 0]
    # The head rounds otherwise than the candidates' own product, but the same things are large.
    assert (logits > got.logits[0, -1]).sum() < 2 * exact.candidate_count


def test_logits_of_when_compared_with_candidates_then_agree(exact):
    got = exact.forward(TEXT[:8], 0, [2, 7], NOBODY)
    assert exact.logits_of(got.ids[0]) == pytest.approx(got.logits[0], abs=1e-5)
    backwards = exact.logits_of(got.ids[0, ::-1].copy())
    assert backwards[::-1] == pytest.approx(got.logits[0], abs=1e-5)


def test_logits_of_when_asked_twice_then_the_same_bits(exact):
    wanted = np.array([5, 200, 17, 17])
    first, again = [], []
    for found in (first, again):
        exact.forward(TEXT[:8], 0, [7], NOBODY)
        found.append(exact.logits_of(wanted).tobytes())
        exact.forward([*TEXT[:6], 1, 2], 0, [7], NOBODY)
        found.append(exact.logits_of(wanted).tobytes())
    assert first == again
    assert first[0] != first[1]


def test_forward_when_it_was_cancelled_before_then_nothing_runs_and_the_session_continues(exact):
    before = bits(exact, run(exact, PrefixCache(), TEXT[:10]), 10)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        exact.forward(TEXT[:10], 0, [9], cancel)
    assert bits(exact, run(exact, PrefixCache(), TEXT[:10]), 10) == before


def test_forward_when_the_runtime_fails_then_says_so(exact):
    with pytest.raises(SessionError, match="could not be run"):
        exact.forward([1, 2], 0, [9], NOBODY)


@pytest.mark.parametrize("token", [384, 10**6, -1])
def test_forward_when_a_token_is_outside_the_vocabulary_then_says_so(exact, token):
    with pytest.raises(SessionError, match="outside the model's 384"):
        exact.forward([1, token], 0, [1], NOBODY)


def test_open_when_a_file_is_missing_cut_or_broken_then_says_which(exact_folder, tmp_path):
    for name, content, words in [
        ("model.onnx", None, "is missing"),
        ("model.onnx.data", b"", "has 0 bytes instead of"),
        ("manifest.json", b"{", "cannot be read"),
        ("manifest.json", b'{"format": 99}', "has format 99"),
        ("manifest.json", f'{{"format": {FORMAT}}}'.encode(), "cannot be used"),
    ]:
        folder = copied(exact_folder, tmp_path / f"{name}-{words}")
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)
        with pytest.raises(ModelFilesError, match=words):
            open_session(folder, "cpu", 1)


def test_open_when_the_graph_is_broken_then_says_so(exact_folder, tmp_path):
    folder = copied(exact_folder, tmp_path / "model")
    size = (folder / "model.onnx").stat().st_size
    (folder / "model.onnx").write_bytes(b"\xff" * size)
    with pytest.raises(SessionError, match="cannot load"):
        open_session(folder, "cpu", 1)


def copied(source, target):
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


@pytest.mark.real_model
@pytest.mark.parametrize("length", BLOCK_ENDS)
def test_forward_when_a_prompt_ends_after_a_block_then_bits_are_those_of_one_prefill(
    real, code, one_prefill, length
):
    cold = run(real, PrefixCache(), code[:length])
    expected = {name: array[:, :, :length].tobytes() for name, array in one_prefill.items()}
    assert kv_bytes(real, length) == expected
    again = bits(real, cold, length)
    cache = PrefixCache()
    cache.extend(code[: length - 1], 0)
    assert bits(real, run(real, cache, code[:length]), length) == again


@pytest.fixture(scope="module")
def one_prefill(real, code):
    """Keys and values of all 1,026 tokens, run at once."""
    real.forward(code, 0, [len(code) - 1], NOBODY)
    return real.kv.arrays(len(code))


@pytest.mark.real_model
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_forward_when_candidates_of_several_rows_are_requested_then_bits_are_those_of_each(
    real_model_dir, code, threads
):
    session = open_session(real_model_dir, "cpu", threads)
    session.forward(code[:56], 0, [55], NOBODY)
    together = session.forward(code[56:64], 56, range(8), NOBODY)
    for first in range(8):
        last = session.forward(code[56:64], 56, range(first, 8), NOBODY)
        assert last.ids.tobytes() == together.ids[first:].tobytes()
        assert last.logits.tobytes() == together.logits[first:].tobytes()


@pytest.mark.real_model
@pytest.mark.parametrize("seed", range(8))
def test_forward_when_a_prompt_was_typed_then_bits_are_those_of_one_prefill(real, code, one_prefill, seed):
    """Prompts that grow, shrink and differ at the end, decoded tokens between them, chunks of any size."""
    choice, cache = random.Random(seed), PrefixCache()
    length = choice.randrange(2, 600)
    for _ in range(choice.randrange(1, 5)):
        begun = choice.randrange(1, length + 1)
        other = [choice.randrange(150_000) for _ in range(choice.choice([0, 0, 1, 3, 40]))]
        run(real, cache, code[:begun] + other, chunk_rows=choice.choice([32, 64, 128, 256, 512]))
    for _ in range(choice.randrange(5)):
        run(real, cache, code[: min(len(cache) + 1, length)])
    typed = bits(real, run(real, cache, code[:length]), length)
    assert typed == bits(real, run(real, PrefixCache(), code[:length], chunk_rows=1024), length)
    assert (
        typed.items() >= {name: array[:, :, :length].tobytes() for name, array in one_prefill.items()}.items()
    )


@pytest.mark.real_model
def test_forward_when_cancelled_inside_then_ends_and_later_bits_are_the_same(real, code):
    before = bits(real, run(real, PrefixCache(), code[:200]), 200)
    cancel = CancelToken()

    def cancel_soon():
        sleep(0.05)
        cancel.cancel()

    thread = threading.Thread(target=cancel_soon)
    thread.start()
    with pytest.raises(Cancelled):
        real.forward(code[200:1024], 200, [823], cancel)
    thread.join()
    cache = PrefixCache()
    cache.extend(code[:190], 0)
    assert bits(real, run(real, cache, code[:200]), 200) == before


@pytest.mark.real_model
def test_generate_when_greedy_on_code_then_continues_sensibly(real, real_model_dir):
    tokenizer = Tokenizer.from_file(real_model_dir / "tokenizer.json")
    prompt = tokenizer.encode("def add(a, b):\n    return a +")
    greedy = Parameters(0.0, 50, 0.95, seed=0)
    assert tokenizer.decode(tokens(real, PrefixCache(), prompt, greedy, count=1)) == " b"


@pytest.mark.real_model
def test_manifest_when_written_by_the_converter_then_names_the_end_tokens(real_model_dir):
    manifest = json.loads((real_model_dir / "manifest.json").read_text("utf-8"))
    tokenizer = Tokenizer.from_file(real_model_dir / "tokenizer.json")
    assert tokenizer.token_id("<|endoftext|>") in manifest["end_tokens"]
