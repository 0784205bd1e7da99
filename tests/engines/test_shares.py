"""Whose forward runs next on a session that several generations share."""

import pytest
from attrs import define, evolve

from aide_lsp.engines.shares import LONGEST_CREDIT, REST_WEIGHT, Shares
from aide_lsp.engines.turns import SHARED_CHUNK_ROWS

ROW, STEP = 0.002, 0.025
"""Seconds for a row of a prompt, and for a step of decoding."""


@define(eq=False)
class Job:
    """A generation as `Shares` sees it: the rows of a prompt, then steps, one forward each."""

    owner: str
    prompt: int
    steps: int = 0
    ahead: bool = False

    @property
    def rows_left(self):
        return self.prompt or 1

    @property
    def rows(self):
        return min(self.rows_left, SHARED_CHUNK_ROWS)

    def run(self):
        """Run a forward; return the seconds that it took."""
        seconds = self.rows * ROW if self.prompt else STEP
        self.steps -= not self.prompt
        self.prompt -= min(self.prompt, self.rows)
        return seconds


def shares_of():
    """Shares that know what a row takes."""
    shares = Shares()
    read(shares, Job("someone who is gone", 2 * SHARED_CHUNK_ROWS))
    shares.forget("someone who is gone")
    return shares


def read(shares, *jobs, forwards=10_000):
    """Run jobs until they are done; return each forward's owner, and all seconds that had passed then."""
    waiting, order, passed = [*jobs], [], 0.0
    for job in waiting:
        shares.asks(job)
    while waiting and len(order) < forwards:
        job = shares.next(waiting)
        waiting.remove(job)
        ran = evolve(job)
        seconds = job.run()
        passed += seconds
        order.append((job.owner, passed))
        shares.had(ran, seconds)
        if job.prompt or job.steps > 0:
            shares.asks(job)
            waiting.append(job)
    for job in waiting:
        shares.gives_up(job)
    return order


def done(order, owner):
    return max(passed for one, passed in order if one == owner)


def test_who_types_on_waits_for_one_chunk_of_another_prompt_only():
    order = read(shares_of(), Job("reads", 1000, 10), Job("types", 10, 10))
    alone = 10 * ROW + 10 * STEP
    assert done(order, "types") <= alone + SHARED_CHUNK_ROWS * ROW
    assert done(order, "reads") == pytest.approx(1000 * ROW + 10 * STEP + alone)


@pytest.mark.parametrize("prompt", [1000, 8000])
def test_a_long_prompt_is_read_however_much_others_type(prompt):
    shares, passed = shares_of(), 0.0
    reads = Job("reads", prompt)
    # Two who type without a pause, and would keep the model busy for ever.
    for _ in range(1000):
        order = read(shares, reads, Job("one", 4, 8), Job("other", 4, 8), forwards=18)
        passed += order[-1][1]
        if not reads.prompt:
            break
    # The two had as much as the weight of the rest allows, and then about as much each as it took.
    assert not reads.prompt
    assert passed < (2 * REST_WEIGHT + 4) * prompt * ROW + 1


def test_a_long_prompt_that_waited_is_read_between_the_forwards_of_others():
    order = [one for one, _ in read(shares_of(), Job("reads", 8000), Job("types", 0, 3000))]
    begun = order.index("reads")
    assert "reads reads reads" not in " ".join(order[begun : begun + 100])


def test_who_asks_again_and_again_and_gives_up_is_served_in_the_end():
    shares = shares_of()
    types = Job("types", 0, 10**6)
    shares.asks(types)
    for _ in range(1000):
        reads = Job("reads", 4000)
        shares.asks(reads)
        for _ in range(10):
            if shares.next([types, reads]) is reads:
                return
            shares.had(types, types.run())
            shares.asks(types)
        shares.gives_up(reads)
    pytest.fail("it waits for ever")


def test_two_who_generate_take_turns_and_two_who_read_do_so_one_after_the_other():
    assert [one for one, _ in read(shares_of(), Job("a", 0, 3), Job("b", 0, 3))] == ["a", "b"] * 3
    # In turns, neither would be done before the end.
    order = [one for one, _ in read(shares_of(), Job("a", 192), Job("b", 192))]
    assert order in (["a"] * 3 + ["b"] * 3, ["b"] * 3 + ["a"] * 3)


def test_who_has_been_away_comes_first_for_a_while_not_for_ever():
    shares = shares_of()
    read(shares, Job("works", 0, 1000))
    order = read(shares, Job("works", 0, 500), Job("comes", 0, 500))
    first = next(passed for one, passed in order if one == "works")
    assert LONGEST_CREDIT - 1 < first < LONGEST_CREDIT + 1


def test_work_ahead_waits_for_every_request_and_takes_nothing_from_its_owner():
    shares = shares_of()
    order = [one for one, _ in read(shares, Job("ahead", 640, ahead=True), Job("asks", 640, 5))]
    assert order == ["asks"] * 15 + ["ahead"] * 10
    again = [one for one, _ in read(shares, Job("asks", 64), Job("ahead", 64))]
    assert again == ["ahead", "asks"]


def test_before_anything_is_known_who_asks_first_comes_first():
    shares = Shares()
    assert [one for one, _ in read(shares, Job("a", 900), Job("b", 10, 1), forwards=2)] == ["a", "b"]
