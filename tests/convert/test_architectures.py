"""Every architecture against llama.cpp: tiny models with random weights, in which each fact matters."""

import numpy as np
import pytest
from attrs import evolve

from aide_lsp.convert.architecture import read_architecture
from aide_lsp.convert.gguf_file import open_gguf
from aide_lsp.convert.transformer.families import FAMILIES
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.self_test import keeps_bits
from tests.llama_reference import llama_server
from tests.tiny_model import TinySpec, tiny_gguf, tiny_model_folder

SPECS = {
    "qwen2": TinySpec(),
    "qwen2-yarn": TinySpec(
        context_length=512,
        rope_scaling=(
            ("scaling.type", "yarn"),
            ("scaling.factor", 4.0),
            ("scaling.original_context_length", 128),
        ),
    ),
    "qwen3": TinySpec("qwen3", biases=False, key_length=32),
    "llama": TinySpec("llama", biases=False, tied=False),
    "llama-biases": TinySpec("llama", mlp_biases=True),
    "llama-linear": TinySpec(
        "llama", biases=False, rope_scaling=(("scaling.type", "linear"), ("scaling.factor", 4.0))
    ),
    "llama-3.1": TinySpec("llama", biases=False, rope_factors=True),
    "granite": TinySpec(
        "granite",
        biases=False,
        embedding_spread=0.3,
        metadata=(
            ("embedding_scale", 12.0),
            ("residual_scale", 0.22),
            ("attention.scale", 1.5),
            ("logit_scale", 4.0),
        ),
    ),
    "granite-unrotated": TinySpec(
        "granite", biases=False, metadata=(("logit_scale", 4.0), ("rope.scaling.finetuned", False))
    ),
    "smollm3": TinySpec("smollm3", biases=False, layer_count=5),
    "seed_oss": TinySpec("seed_oss", key_length=32, tied=False),
    "olmo2": TinySpec("olmo2", biases=False, tied=False),
    "phi3": TinySpec("phi3", biases=False, tied=False),
    "phi3-longrope": TinySpec(
        "phi3",
        biases=False,
        tied=False,
        context_length=32768,
        long_rope=True,
        rope_scaling=(("scaling.original_context_length", 4096), ("scaling.attn_factor", 1.19)),
    ),
    "stablelm": TinySpec(
        "stablelm", biases=False, tied=False, head_count=2, metadata=(("rope.dimension_count", 16),)
    ),
    # As in Stable Code 3B, which rotates 20 of 80 dimensions.
    "stablelm-quarter": TinySpec(
        "stablelm",
        biases=False,
        tied=False,
        hidden_size=160,
        head_count=2,
        metadata=(("rope.dimension_count", 20),),
    ),
    "starcoder": TinySpec("starcoder", mlp_biases=True, kv_head_count=1),
    "starcoder2": TinySpec("starcoder2", mlp_biases=True),
    "gemma": TinySpec("gemma", biases=False, key_length=256, kv_head_count=1, embedding_spread=0.4),
    "gemma2": TinySpec(
        "gemma2",
        biases=False,
        key_length=32,
        embedding_spread=0.4,
        metadata=(
            ("attention.sliding_window", 24),
            ("attn_logit_softcapping", 3.0),
            ("final_logit_softcapping", 8.0),
        ),
        layer_count=4,
    ),
    "gemma2-27b": TinySpec(
        "gemma2",
        biases=False,
        key_length=32,
        embedding_spread=0.4,
        metadata=(("attention.sliding_window", 32),),
        layer_count=46,
    ),
    "gemma3": TinySpec(
        "gemma3",
        biases=False,
        layer_count=7,
        key_length=32,
        embedding_spread=0.4,
        rope_base=1e6,
        metadata=(("attention.sliding_window", 24),),
        rope_scaling=(("scaling.type", "linear"), ("scaling.factor", 8.0)),
    ),
}
DRAW = np.random.default_rng(8)
PROMPT = DRAW.integers(0, 256, size=150).tolist()
ROWS = [*range(1, 150, 4), 149]
BACK = 61
OTHER = [*PROMPT[:BACK], *DRAW.integers(0, 256, size=60).tolist()]
OTHER_ROWS = list(range(BACK, len(OTHER), 4))


@pytest.fixture(scope="module", params=SPECS)
def case(request, tmp_path_factory):
    """llama.cpp's log probabilities after PROMPT and OTHER, and Aide's conversion of the same file."""
    spec, folder = SPECS[request.param], tmp_path_factory.mktemp("architecture")
    with llama_server(tiny_gguf(folder / "model.gguf", spec), exact=True) as server:
        reference = {
            tuple(ids): np.array([server.log_probabilities(ids[: row + 1], spec.vocab_size) for row in rows])
            for ids, rows in ((PROMPT, ROWS), (OTHER, OTHER_ROWS))
        }
    return reference, tiny_model_folder(folder / "float", spec, "float")


def log_probabilities(session, ids, past, rows):
    """Return Aide's for some rows of a forward."""
    session.forward(ids[past:], past, [row - past for row in rows], CancelToken())
    logits = session.full_logits().astype(np.float64)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def divergence(found, expected):
    """Return the mean of KL(expected || found), in nats."""
    return (np.exp(expected) * (expected - found)).sum(axis=1).mean()


def check(found, expected):
    same = (found.argmax(axis=1) == expected.argmax(axis=1)).mean()
    print(f"best {same:.4f}, KL {divergence(found, expected):.1e}")
    assert same >= 0.99
    assert divergence(found, expected) <= 1e-4


def test_prompts_agree(case):
    reference, folder = case
    session = open_session(folder, "cpu", threads=1)
    check(log_probabilities(session, PROMPT, 0, ROWS), reference[tuple(PROMPT)])


def test_single_steps_after_a_prompt_agree(case):
    reference, folder = case
    session = open_session(folder, "cpu", threads=1)
    first = 40
    session.forward(PROMPT[:first], 0, [0], CancelToken())
    steps = [log_probabilities(session, PROMPT[: row + 1], row, [row]) for row in range(first, len(PROMPT))]
    rows = [row for row in ROWS if row >= first]
    found = np.concatenate([steps[row - first] for row in rows])
    check(found, reference[tuple(PROMPT)][[ROWS.index(row) for row in rows]])


def test_going_back_and_on_differently_agrees(case):
    reference, folder = case
    session = open_session(folder, "cpu", threads=1)
    session.forward(PROMPT, 0, [0], CancelToken())
    check(log_probabilities(session, OTHER, BACK, OTHER_ROWS), reference[tuple(OTHER)])


def test_every_architecture_has_a_tiny_model():
    assert {spec.architecture for spec in SPECS.values()} == set(FAMILIES)


FACTS = [
    pytest.param(name, field, key, id=f"{name}-{key}")
    for name, spec in SPECS.items()
    for field in ("metadata", "rope_scaling")
    for key, value in getattr(spec, field)
    # The usual kind of scaling, and where factors change that no prompt reaches.
    if (key, value) != ("scaling.type", "linear")
    and (name, key) != ("phi3-longrope", "scaling.original_context_length")
]


@pytest.mark.parametrize(("name", "field", "key"), FACTS)
def test_what_a_file_states_matters(name, field, key, tmp_path):
    """Otherwise agreement would not show that it is applied."""
    spec = SPECS[name]
    kept = tuple(item for item in getattr(spec, field) if item[0] != key)
    models = (spec, evolve(spec, **{field: kept}))
    found = []
    for number, model in enumerate(models):
        session = open_session(tiny_model_folder(tmp_path / f"{number}", model, "float"), "cpu", threads=1)
        found.append(log_probabilities(session, PROMPT, 0, ROWS))
    assert divergence(*found) > 1e-3


@pytest.mark.parametrize("head", [32, 64, 80, 128, 256])
@pytest.mark.parametrize(
    "name", ["qwen3", "starcoder", "stablelm", "stablelm-quarter", "olmo2", "gemma2", "gemma3"]
)
def test_results_are_the_same_bits_whatever_was_cached(name, head, tmp_path):
    """For real sizes of heads, with windows and without, with and without a bound in the softmax."""
    spec = evolve(SPECS[name], head_count=2, kv_head_count=1, key_length=head, layer_count=3)
    session = open_session(tiny_model_folder(tmp_path / "model", spec, "exact"), "cpu")
    assert keeps_bits(session)


RECIPES = {"exact": 0.06, "int4": 0.06, "fast": 0.08, "fp16": 0.005}
STORED = [
    (name, recipe)
    for name in ("qwen3", "granite", "stablelm", "phi3", "gemma", "gemma2", "starcoder")
    for recipe in RECIPES
    # What is refused, as test_convert.py shows.
    if (name, recipe) not in {("gemma2", "fp16"), ("starcoder", "fast")}
]


@pytest.mark.parametrize(("name", "recipe"), STORED)
def test_recipes_stay_near_float(name, recipe, tmp_path):
    """With matrices as a file has them, of which some are half of a stored one."""
    spec = evolve(SPECS[name], matrix_type="Q4_0")
    found = []
    for one in ("float", recipe):
        session = open_session(tiny_model_folder(tmp_path / one, spec, one), "cpu", threads=1)
        session.forward(PROMPT, 0, ROWS, CancelToken())
        found.append(session.full_logits())
        few = session.logits_of(np.arange(0, spec.vocab_size, 3))
        assert np.linalg.norm(few - found[-1][0, ::3]) < 0.05 * np.linalg.norm(few)
    error = np.linalg.norm(found[1] - found[0]) / np.linalg.norm(found[0])
    print(f"{error:.4f}")
    assert error < RECIPES[recipe]


@pytest.mark.parametrize(("context", "window"), [(16384, 4096), (2048, 0)])
def test_starcoder2_has_the_window_of_the_original_models_if_a_text_can_fill_it(tmp_path, context, window):
    spec = evolve(SPECS["starcoder2"], context_length=context)
    assert read_architecture(open_gguf(tiny_gguf(tmp_path / "m.gguf", spec))).window == window


def test_longrope_is_used_up_to_the_length_at_which_its_factors_change(tmp_path):
    file = open_gguf(tiny_gguf(tmp_path / "m.gguf", SPECS["phi3-longrope"]))
    assert read_architecture(file).context_length == 4096


def test_file_that_claims_a_huge_context_gets_no_tables_of_gigabytes(tmp_path):
    file = open_gguf(tiny_gguf(tmp_path / "m.gguf", evolve(SPECS["llama"], context_length=1 << 24)))
    assert read_architecture(file).context_length == 131_072
