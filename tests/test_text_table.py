"""Tables for a terminal."""

from aide_lsp.text_table import text_table


def test_columns_are_as_wide_as_their_widest_cell_and_lines_end_without_blanks():
    assert text_table([("ID", "SIZE"), ("qwen", ""), ("a", "12 MB")]) == ["ID    SIZE", "qwen", "a     12 MB"]
