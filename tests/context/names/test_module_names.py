"""Which names of a module may come at a cursor: `tests/data/modules` has the cases."""

from pathlib import Path

import pytest

from tests.context.cases import asked, cases

CASES = list(cases(Path(__file__).parents[2] / "data" / "modules"))


@pytest.mark.parametrize(("language", "texts", "expected"), CASES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_only_names_of_the_module_may_come_or_anything(tmp_path, language, texts, expected, line_end):
    reader, place = asked(tmp_path, language, texts, lambda text: text.replace("\n", line_end))
    found = reader.names(place)
    assert (None if found is None else " ".join(found.names)) == (
        None if expected == "anything" else expected
    )
