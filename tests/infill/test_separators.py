"""Completions in JSON: the text around the cursor parses with them, and no key is there twice."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aide_lsp.infill.cleanup import Cleaned, clean
from aide_lsp.infill.hole import read_hole
from aide_lsp.infill.stopping import find_stop
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.syntax.languages import language_of

KEYS = st.sampled_from(["a", "b,", "c{", "d e", "n\\", 'q"', "//u", "x:y"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.sampled_from(["", "a, b", "[", '"', "http://x", "}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
ROOTS = st.lists(VALUES, min_size=1, max_size=5) | st.dictionaries(KEYS, VALUES, min_size=1, max_size=6)


def unique(pairs):
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


def entries_of(root, indent: int | None) -> list[str]:
    """Return the source of each entry, as it is in the document, without what is between them."""
    if isinstance(root, list):
        texts = [json.dumps(value, indent=indent) for value in root]
    else:
        texts = [f"{json.dumps(key)}: {json.dumps(value, indent=indent)}" for key, value in root.items()]
    return [text.replace("\n", "\n" + " " * (indent or 0)) for text in texts]


@given(
    root=ROOTS,
    first=st.integers(0, 5),
    count=st.integers(1, 3),
    surplus=st.integers(0, 3),
    indent=st.sampled_from([2, 4, None]),
    is_nested=st.booleans(),
    between=st.sampled_from([",", "", ",,"]),
    start=st.sampled_from(["", ","]),
    end=st.sampled_from(["", ",", "}", "]", ",\n"]),
    before=st.booleans(),
    after=st.booleans(),
)
@settings(max_examples=1000, deadline=None)
@example(
    root=[0, 1], first=1, count=1, surplus=0, indent=2, is_nested=False,
    between=",", start="", end="", before=True, after=False,
)  # fmt: skip
def test_entries_in_a_hole_parse(
    root, first, count, surplus, indent, is_nested, between, start, end, before, after
):
    texts = entries_of(root, indent)
    first = min(first, len(texts))
    above, hole_texts, below = texts[:first], texts[first : first + count], texts[first + count :]
    blank = "\n" + " " * indent if indent else " "
    opener, closer = "[]" if isinstance(root, list) else "{}"
    # The comma before the hole, and the one after it, may be there already.
    head = opener + "".join(f"{blank}{text}," for text in above[:-1])
    head += f"{blank}{above[-1]}{',' if before else ''}" if above else ""
    head += blank
    tail = blank if below else ("\n" if indent else "")
    tail = (
        ("," if after and below else "") + tail + f",{blank}".join(below) + ("\n" if indent else "") + closer
    )
    if is_nested:
        head, tail = '{"outer": ' + head, tail + ', "a": 1}'
    written = start + f"{between}{blank}".join([*hole_texts, *below[:surplus]]) + end
    hole = read_hole(head, tail, language_of("json"))
    stop = find_stop(hole, written, ended=True)
    cleaned = clean(hole, written, stop)
    try:
        json.loads(head + tail, object_pairs_hook=unique)
    except ValueError:
        could_parse = False
    else:
        could_parse = True
    if cleaned.text or could_parse:
        json.loads(head + cleaned.text + tail, object_pairs_hook=unique)
    again = clean(hole, cleaned.text, stop if stop and stop.rule.is_exact else None)
    assert again.text == cleaned.text


def test_a_key_that_is_there_already_does_not_fit():
    hole = read_hole('{"a": 1, ', "}", language_of("json"))
    assert clean(hole, '"a": 2', None) == Cleaned("", NoCompletionReason.DOES_NOT_FIT)
