"""The header that says which kind of machine has answered."""

from tests.serve.serving import ask, generation, running


def test_each_answer_names_the_kind_of_machine_that_the_engine_names():
    with running() as server:
        kind = ask(server).json()["machine"]
        answers = [
            ask(server),
            ask(server, path="/metrics"),
            ask(server, "POST", "/aide/v1/generate", generation()),
            ask(server, "POST", "/aide/v1/generate", {}),
            ask(server, path="/nothing"),
        ]
    assert [answer.status for answer in answers] == [200, 200, 200, 400, 404]
    assert {answer.headers["x-aide-machine"] for answer in answers} == {kind}


def test_strangers_learn_nothing_from_it():
    with running() as server:
        answers = [
            ask(server, token=None),
            ask(server, token="another-one"),
            ask(server, path="/health", token=None),
        ]
    assert [answer.status for answer in answers] == [401, 401, 200]
    assert all("x-aide-machine" not in answer.headers for answer in answers)


def test_while_the_model_is_loaded_there_is_no_header():
    with running(loaded=False) as server:
        answer = ask(server, "POST", "/aide/v1/generate", {})
    assert answer.status == 503
    assert "x-aide-machine" not in answer.headers
