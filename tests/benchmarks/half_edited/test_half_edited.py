"""States of files that are being written, and what is shown in them."""

import pytest

from aide_lsp.syntax.trees import SyntaxTrees
from benchmarks.half_edited.__main__ import generated, mistakes
from benchmarks.half_edited.places import CODE, MARKUP, TEXT, Place, places_in
from benchmarks.half_edited.states import STATES, edited
from benchmarks.real_code.packages import Part

CODE_TEXT = """class Account {
  deposit(amount) {
    if (amount > 0) {
      this.balance = this.balance + amount;
      this.changes.push({ amount: amount, kind: "deposit" });
      notify(this.owner, amount);
    }
  }

  withdraw(amount) {
    const fee = this.fees.map((fee) => fee.of(amount));
    this.balance = this.balance - amount - fee;
    return this.balance;
  }
}
"""


def place(mark: str) -> Place:
    offset = CODE_TEXT.index(mark) + len(mark)
    end = CODE_TEXT.index("\n", offset)
    return Place(f"package:account.js:{offset}:kind", "javascript", "kind", CODE_TEXT, offset, end)


@pytest.mark.parametrize("state", STATES)
def test_each_state_keeps_the_cursor_and_removes_the_rest_of_its_line(state):
    item = edited(place("this.changes.push("), state)
    assert item is not None
    assert item.before.endswith("this.changes.push(")
    assert item.truth.startswith('{ amount: amount, kind: "deposit" });\n')
    assert not item.after.startswith("{ amount")
    assert item == edited(place("this.changes.push("), state)


def test_states_differ_from_the_file():
    texts = {state: edited(place("this.changes.push("), state) for state in STATES}
    assert len({(item.before, item.after) for item in texts.values() if item}) == len(STATES)
    assert texts["nothing below"].after == ""
    assert texts["only the end of the block"].after.startswith("\n    }\n  }\n")
    assert texts["block without end"].after.startswith("\n  }\n")
    assert texts["auto-closed"].after.startswith(")")


def test_places_are_found_and_are_the_same_again():
    part = Part("package", "javascript", "*.js")
    found = list(places_in(part, "account.js", CODE_TEXT))
    assert found == list(places_in(part, "account.js", CODE_TEXT))
    assert {one.kind for one in found} <= CODE.keys() | TEXT.keys() | MARKUP.keys()
    assert {"after =", "after an opener", "in a word", "line"} <= {one.kind for one in found}


def test_what_the_author_wrote_is_kept_and_a_mistake_is_seen():
    item = edited(place("    this.balance = this.balance - "), "half a line below")
    assert item is not None
    checked = generated(item, item.truth, SyntaxTrees())
    assert checked.rejection is None
    assert checked.cleaned.text == "amount - fee;"
    item = edited(place("const fee = "), "name being renamed")
    assert item is not None
    rejected = {name for name, text in mistakes(item) if generated(item, text, SyntaxTrees()).rejection}
    assert "a `)` too many" in rejected
