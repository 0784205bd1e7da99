"""What adding a model will cost."""

from aide_lsp.catalog.adding.cost import cost_of


def test_int4_saves_only_where_the_file_has_4_bits():
    """Other types become 8 bits; an estimate without them would let the disk run full."""
    sizes = {kind: cost_of(7_000_000_000, kind, "int4", 0).files for kind in ("Q4_K", "Q8_0", "Q5_K", "F16")}
    assert sizes["Q4_K"] < 13_000_000_000
    exact = cost_of(7_000_000_000, "Q8_0", "exact", 0).files
    assert {sizes[kind] for kind in ("Q8_0", "Q5_K", "F16")} == {exact}
