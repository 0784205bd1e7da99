"""A completion being generated keeps running while it may still be used, and ends when it cannot."""

from asyncio import new_event_loop

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.application.requests import request_of
from aide_lsp.lsp.requests.in_flight import InFlight, InFlightRequests
from aide_lsp.lsp.requests.snapshot import Snapshot
from aide_lsp.lsp.workspace.documents import Document, Place
from aide_lsp.settings.fields import Parameters, Settings

TEXTS = st.text(alphabet="ab\n", max_size=6)


def snapshot(
    text: str, offset: int, seed: int | None = None, uri: str = "file:///a", *, fresh=False, request_id=None
):
    settings = Settings(parameters=Parameters(seed=seed))
    request = request_of(settings, text, offset, "")
    document = Document(uri, "python", 1, text, "utf-32")
    place = Place(0, offset)
    return Snapshot(request_id, uri, document, 1, 1, place, settings, request, start=0, fresh=fresh)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_completion_continues_exactly_while_its_own_text_is_typed(before, after, written, typed):
    in_flight = InFlight(snapshot(before + after, len(before)))
    in_flight.wrote(written)
    agrees = written.startswith(typed) or typed.startswith(written)
    assert in_flight.follow(before + typed + after) == agrees
    assert not in_flight.token.cancelled


@given(TEXTS, TEXTS, TEXTS)
def test_a_completion_ends_when_it_writes_something_else_than_was_typed(before, typed, written):
    in_flight = InFlight(snapshot(before, len(before)))
    assert in_flight.follow(before + typed)
    for end in range(len(written) + 1):
        in_flight.wrote(written[:end])
    assert in_flight.token.cancelled == (not (written.startswith(typed) or typed.startswith(written)))


@given(TEXTS, TEXTS.filter(bool), st.integers())
def test_with_a_seed_only_the_very_same_place_is_served(text, typed, seed):
    in_flight = InFlight(snapshot(text, len(text), seed))
    assert in_flight.follow(text)
    assert not in_flight.follow(text + typed)


def test_a_bracket_that_the_editor_closed_is_typed_along():
    in_flight = InFlight(snapshot("f\n", 1))
    in_flight.wrote("(a")
    assert in_flight.follow("f()\n")
    assert in_flight.follow("f()\n", 2)
    assert in_flight.follow("f(a)\n", 3)
    # Typed by the user, and followed by something else than closers.
    assert not in_flight.follow("f()\n", 3)
    assert not in_flight.follow("f(]\n")
    assert not in_flight.follow("f(b)\n")
    in_flight.wrote("(a, b)")
    assert not in_flight.token.cancelled


def test_what_continues_the_selected_entry_of_a_list_goes_on_while_the_entry_is_typed():
    entry = evolve(snapshot("x.drop_all\n", 10), selected="drop_all")
    in_flight = InFlight(entry)
    in_flight.wrote("(a)")
    for typed in ("x.dr", "x.dro", "x.drop_all", "x.drop_all("):
        assert in_flight.follow(f"{typed}\n")
    # Something else than the entry, or somewhere else.
    for text in ("x.dx\n", "x\n", "y.dr\n", "x.dr\n\n"):
        assert not in_flight.follow(text)
    # A request without the entry is answered by a completion of its own, and must not wait for this one.
    assert not in_flight.follow("x.dr\n", 4)
    assert in_flight.follow("x.drop_all\n", 10)


def test_windows_line_ends_are_typed_along():
    in_flight = InFlight(snapshot("a\r\nb", 1))
    in_flight.wrote("\nx")
    assert in_flight.follow("a\r\nx\r\nb")


def test_a_change_elsewhere_a_deletion_and_a_command_of_its_own_are_not_followed():
    assert not InFlight(snapshot("ab", 1)).follow("xab")
    assert not InFlight(snapshot("ab", 1)).follow("a")
    assert not InFlight(snapshot("ab", 1), own_work=True).follow("ab")
    assert not InFlight(snapshot("ab", 1, fresh=True)).follow("ab")


def test_a_new_request_keeps_the_oldest_that_agrees_and_ends_the_rest():
    in_flight = InFlightRequests()
    made = [InFlight(snapshot(text, len(text))) for text in ("a", "ab", "abc", "x")]
    for one in made[:3]:
        in_flight.begin(one)
    assert [one.token.cancelled for one in made[:3]] == [False, True, False]
    in_flight.begin(made[3])
    assert [one.token.cancelled for one in made] == [True, True, True, False]


def test_what_is_prefilled_for_another_place_in_the_same_text_is_not_waited_for():
    in_flight = InFlightRequests()
    top, typed_there, elsewhere = (InFlight(snapshot(*at)) for at in (("ab", 0), ("xab", 1), ("xab", 3)))
    in_flight.begin(top)
    in_flight.begin(typed_there)
    assert not top.token.cancelled
    in_flight.begin(elsewhere)
    assert top.token.cancelled
    assert typed_there.token.cancelled


def test_a_cursor_that_moves_ends_what_nobody_waits_for_elsewhere():
    in_flight = InFlightRequests()
    loop = new_event_loop()
    waited_for = InFlight(snapshot("ab", 0), loop.create_future())
    in_flight.begin(waited_for)
    prefill = InFlight(snapshot("ab", 0, uri="file:///b"))
    in_flight.begin(prefill)
    in_flight.move(snapshot("ab", 0, uri="file:///b"))
    assert not prefill.token.cancelled
    in_flight.move(snapshot("ab", 1, uri="file:///b"))
    assert prefill.token.cancelled
    assert not waited_for.token.cancelled
    loop.close()


def test_a_request_with_other_settings_does_not_wait_for_one_that_cannot_serve_it():
    """Such as one for another completion, with a new seed."""
    in_flight = InFlightRequests()
    oldest, again = (
        InFlight(snapshot("a", 1)),
        InFlight(snapshot("a", 1, seed=7, fresh=True)),
    )
    in_flight.begin(oldest)
    in_flight.begin(again)
    assert (oldest.token.cancelled, again.token.cancelled) == (True, False)


def test_what_nobody_waits_for_ends_when_another_document_is_asked_about():
    in_flight = InFlightRequests()
    loop = new_event_loop()
    waited = InFlight(snapshot("a", 1, uri="file:///0"), loop.create_future())
    unwaited = InFlight(snapshot("a", 1, uri="file:///1"))
    for one in (waited, unwaited, InFlight(snapshot("a", 1, uri="file:///2"))):
        in_flight.begin(one)
    assert (waited.token.cancelled, unwaited.token.cancelled) == (False, True)
    loop.close()


def test_a_cancel_of_any_request_that_led_to_it_ends_what_continues():
    for cancelled, ended in ((1, [True, False]), (2, [True, True]), (3, [False, False])):
        in_flight = InFlightRequests()
        oldest, newest = (
            InFlight(snapshot(text, len(text), request_id=n)) for n, text in ((1, "a"), (2, "ab"))
        )
        in_flight.begin(oldest)
        in_flight.begin(newest)
        in_flight.cancel(cancelled)
        assert [one.token.cancelled for one in (oldest, newest)] == ended
