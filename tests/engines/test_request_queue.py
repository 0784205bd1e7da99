"""The requests of one client: one after the other, and newer ones end older ones."""

from threading import Thread

import pytest

from aide_lsp.engines.request_queue import LONGEST, RequestQueue
from aide_lsp.errors import BusyError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from tests.patience import PATIENCE


def test_newer_request_of_a_document_then_the_older_one_is_canceled_and_others_are_not():
    queue, cancels = RequestQueue(), [CancelToken() for _ in range(4)]
    for document, cancel in zip(["a", "b", "", "a"], cancels, strict=True):
        queue.join(document, cancel)
    assert [cancel.cancelled for cancel in cancels] == [True, False, False, False]


def test_requests_of_no_document_then_none_is_canceled():
    queue, cancels = RequestQueue(), [CancelToken(), CancelToken()]
    for cancel in cancels:
        queue.join("", cancel)
    assert not any(cancel.cancelled for cancel in cancels)


def test_request_then_work_ahead_is_canceled_but_not_the_other_way_around():
    queue, ahead, request, more = RequestQueue(), CancelToken(), CancelToken(), CancelToken()
    queue.join("a", ahead, ahead=True)
    queue.join("b", request)
    queue.join("b", more, ahead=True)
    assert [one.cancelled for one in (ahead, request, more)] == [True, False, False]


def test_too_many_then_busy_and_those_that_were_ended_do_not_count():
    queue = RequestQueue()
    for number in range(LONGEST):
        queue.join(str(number), CancelToken())
    with pytest.raises(BusyError, match=str(LONGEST)):
        queue.join("new", CancelToken())
    queue.join("3", CancelToken())


def test_wait_then_in_order():
    queue, order = RequestQueue(), []
    queued = [queue.join("", CancelToken()) for _ in range(5)]

    def run(one):
        queue.wait(one, None)
        order.append(queued.index(one))
        queue.leave(one)

    threads = [Thread(target=run, args=(one,)) for one in reversed(queued)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert order == [0, 1, 2, 3, 4]
    assert len(queue) == 0


def test_canceled_while_it_waits_then_at_once():
    queue, cancel = RequestQueue(), CancelToken()
    queue.join("a", CancelToken())
    queued, raised = queue.join("b", cancel), []

    def run():
        try:
            queue.wait(queued, None)
        except Cancelled:
            raised.append(True)

    thread = Thread(target=run)
    thread.start()
    cancel.cancel()
    thread.join(PATIENCE)
    assert raised == [True]


def test_deadline_while_it_waits_then_an_error():
    queue = RequestQueue()
    queue.join("a", CancelToken())
    with pytest.raises(TimeoutError):
        queue.wait(queue.join("b", CancelToken()), 0.0)


def test_leave_twice_then_nothing_happens():
    queue = RequestQueue()
    queued = queue.join("a", CancelToken())
    queue.leave(queued)
    queue.leave(queued)
    assert len(queue) == 0
