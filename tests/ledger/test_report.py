"""The tables of `aide log`."""

from attrs import asdict, evolve

from aide_lsp.context.excerpt import Excerpt
from aide_lsp.ledger.entry import GeneratedEvent, entry_of, provenance_of
from aide_lsp.ledger.report import entry_json, log_lines, stats_lines, stats_of
from aide_lsp.settings.fields import Parameters
from tests.ledger.making import EXCERPTS, SECRET, changed, completion_of, model_info, request_for

MODES = ("hashes", "text")


def entry(number=0, mode="hashes", path="/home/me/x.py", **changes):
    event = GeneratedEvent(
        request_for(path=path), completion_of(number), provenance_of(model_info()), 0.0, mode
    )
    return changed(entry_of(event, b"salt"), **changes)


def test_row_names_file_parameters_seed_tokens_time_and_outcome():
    head, row, *_ = log_lines([entry(12, "text", shown=1, accepted=9.0)])
    assert head.startswith("TIME")
    values = [f"{value:g}" for value in asdict(Parameters(seed=12)).values()]
    assert row.split()[2:] == ["0000000c", "x.py", *values, "5", "50", "accepted", "-"]
    assert values[:3] == ["0.7", "50", "0.95"]


def test_file_is_a_piece_of_a_hash_where_its_path_is_not_kept():
    rows = log_lines([entry(), entry(1), entry(2, path="/other.py")])[1:]
    files = [row.split()[3] for row in rows]
    assert files[0] == files[1] != files[2]
    assert all(len(file) == 7 and file.startswith("#") for file in files)


def test_file_name_that_would_move_the_terminals_cursor_is_shown_without():
    row = log_lines([entry(mode="text", path="/a/\x1b[2Jx.py")])[1]
    assert "\x1b" not in row


def test_outcomes():
    entries = [entry(), entry(shown=2), entry(empty_reason="repeats-suffix"), entry(shown=1, accepted=1.0)]
    entries += [entry(note="Shown although.", shown=1), entry(note="Shown although.", accepted=1.0)]
    ends = ["generated", "shown", "empty (repeats-suffix)", "accepted"]
    ends += ["shown (last resort)", "accepted (last resort)"]
    rows = log_lines(entries)[1:]
    assert all(row.removesuffix("-").rstrip().endswith(end) for row, end in zip(rows, ends, strict=True))


def test_other_files_are_counted_and_named_where_their_paths_are_kept():
    completion = evolve(completion_of(), excerpts=EXCERPTS)
    facts = (completion, provenance_of(model_info()), 0.0)
    hashed, named = (entry_of(GeneratedEvent(request_for(), *facts, mode), b"salt") for mode in MODES)
    head, *rows = log_lines([hashed, named, entry()])
    assert head.endswith("OTHER FILES")
    assert [row.partition("generated")[2].strip() for row in rows] == ["2", "2: db.py, models.py", "-"]


def test_names_of_other_files_that_are_many_or_hostile_take_one_short_line():
    many = tuple(Excerpt(f"a/{'x' * 50}{n}\x1b[2J\n.py", 1, "x\n", 1.0) for n in range(50))
    event = GeneratedEvent(
        request_for(), evolve(completion_of(), excerpts=many), provenance_of(model_info()), 0.0, "text"
    )
    row = log_lines([entry_of(event, b"salt")])[1]
    files = row.partition("generated")[2].strip()
    assert files.startswith("50: …")
    assert len(files) < 70
    assert "\x1b" not in row


def test_stats_put_equal_parameters_together_and_leave_the_seed_aside():
    times = [10.0, 30.0, 20.0]
    hot = [
        entry(n, parameters=Parameters(temperature=0.9, seed=n), shown=1, total_ms=ms)
        for n, ms in enumerate(times)
    ]
    hot[0] = evolve(hot[0], accepted=1.0)
    first, second = stats_of([entry(9), *hot])
    assert (first.parameters.temperature, first.made, first.shown, first.accepted) == (0.9, 3, 3, 1)
    assert (round(first.rate, 3), first.total_ms) == (0.333, 20.0)
    assert (second.parameters.temperature, second.made, second.rate) == (0.7, 1, None)
    assert [line.split()[-3] for line in stats_lines([first, second])[1:]] == ["33%", "-"]


def test_json_holds_no_text_and_says_whether_the_ledger_does():
    kept = entry_json(entry(5, "text", path="/x.py", full_excerpts=EXCERPTS))
    assert SECRET not in str(kept)
    assert (kept["seed"], kept["has_text"]) == (5, True)
