"""What is being made goes on while it may be of use, and ends when it cannot be."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.lsp.requests.in_flight import Flight, Flights
from aide_lsp.settings.fields import Parameters, Settings

TEXTS = st.text(alphabet="ab\n", max_size=6)


def asked(
    text: str, offset: int, seed: int | None = None, uri: str = "file:///a", *, fresh=False, request_id=None
):
    settings = Settings(parameters=Parameters(seed=seed))
    document = SimpleNamespace(uri=uri)
    return SimpleNamespace(
        text=text, offset=offset, settings=settings, document=document, fresh=fresh, request_id=request_id
    )


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_flight_goes_on_exactly_while_its_own_text_is_typed(before, after, written, typed):
    flight = Flight(asked(before + after, len(before)), own_job=False)
    flight.wrote(written)
    agrees = written.startswith(typed) or typed.startswith(written)
    assert flight.follow(before + typed + after) == agrees
    assert not flight.token.cancelled


@given(TEXTS, TEXTS, TEXTS)
def test_a_flight_ends_when_it_writes_something_else_than_was_typed(before, typed, written):
    flight = Flight(asked(before, len(before)), own_job=False)
    assert flight.follow(before + typed)
    for end in range(len(written) + 1):
        flight.wrote(written[:end])
    assert flight.token.cancelled == (not (written.startswith(typed) or typed.startswith(written)))


@given(TEXTS, TEXTS.filter(bool), st.integers())
def test_with_a_seed_only_the_very_same_place_is_served(text, typed, seed):
    flight = Flight(asked(text, len(text), seed), own_job=False)
    assert flight.follow(text)
    assert not flight.follow(text + typed)


def test_windows_line_ends_are_typed_along():
    flight = Flight(asked("a\r\nb", 1), own_job=False)
    flight.wrote("\nx")
    assert flight.follow("a\r\nx\r\nb")


def test_a_change_elsewhere_a_deletion_and_a_command_of_its_own_are_not_followed():
    assert not Flight(asked("ab", 1), own_job=False).follow("xab")
    assert not Flight(asked("ab", 1), own_job=False).follow("a")
    assert not Flight(asked("ab", 1), own_job=True).follow("ab")
    assert not Flight(asked("ab", 1, fresh=True), own_job=False).follow("ab")


def test_a_new_request_keeps_the_eldest_that_agrees_and_ends_the_rest():
    flights = Flights()
    made = [Flight(asked(text, len(text)), own_job=False) for text in ("a", "ab", "abc", "x")]
    for flight in made[:3]:
        flights.begin(flight)
    assert [flight.token.cancelled for flight in made[:3]] == [False, True, False]
    flights.begin(made[3])
    assert [flight.token.cancelled for flight in made] == [True, True, True, False]


def test_a_request_with_other_settings_does_not_wait_for_one_that_cannot_serve_it():
    """Such as one for another completion, with a new seed."""
    flights = Flights()
    eldest, again = (
        Flight(asked("a", 1), own_job=False),
        Flight(asked("a", 1, seed=7, fresh=True), own_job=False),
    )
    flights.begin(eldest)
    flights.begin(again)
    assert (eldest.token.cancelled, again.token.cancelled) == (True, False)


def test_what_nobody_waits_for_ends_when_another_document_is_asked_about():
    flights = Flights()
    waited, unwaited = (Flight(asked("a", 1, uri=f"file:///{n}"), own_job=False) for n in range(2))
    unwaited.is_waited_for = False
    for flight in (waited, unwaited, Flight(asked("a", 1, uri="file:///2"), own_job=False)):
        flights.begin(flight)
    assert (waited.token.cancelled, unwaited.token.cancelled) == (False, True)


def test_a_cancel_of_any_request_that_led_to_it_ends_what_goes_on():
    for cancelled, ended in ((1, [True, False]), (2, [True, True]), (3, [False, False])):
        flights = Flights()
        eldest, newest = (
            Flight(asked(text, len(text), request_id=n), own_job=False) for n, text in ((1, "a"), (2, "ab"))
        )
        flights.begin(eldest)
        flights.begin(newest)
        flights.cancel(cancelled)
        assert [flight.token.cancelled for flight in (eldest, newest)] == ended
