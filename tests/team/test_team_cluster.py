"""A cluster of two nodes with real Ray: each node's proxy gives the same bytes, and one node can be lost."""

import warnings

import pytest
import yaml

pytest.importorskip("ray", reason="Ray is not installed here; `make test-team` has an environment with it")

from aide_lsp.loading import load_engine
from aide_lsp.settings.fields import Settings

with warnings.catch_warnings():
    # Ray's own code is not up to date.
    warnings.simplefilter("ignore")
    from aide_lsp.team.config import EXAMPLE
    from tests.team.ray_cluster import RAY_TOKEN, two_nodes
    from tests.team.team_server import TOKEN, TeamServer, generated, generation, until

pytestmark = pytest.mark.real_model
TEXTS = ["def mean(values):\n    ", "x = "]
NAME = "aide.example.com"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, data):
    with two_nodes(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture(scope="module")
def file(cluster):
    """The example, changed as the page says, and so that two nodes find room on one machine."""
    token = cluster.folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    found = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    found["proxy_location"] = "EveryNode"
    found["http_options"]["port"] = cluster.ports[0]
    found["applications"][0]["args"] |= {"token_file": str(token), "names": [NAME], "model": "small"}
    path = cluster.folder / "serve.yaml"
    path.write_text(yaml.safe_dump(found), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def proxies(cluster, file):
    """Both nodes' proxies, once two replicas are loaded."""
    done = cluster.deploy(file)
    assert done.returncode == 0, done.stderr
    found = [TeamServer(None, port, file, cluster.folder / "log") for port in cluster.ports]
    for one in found:
        until(lambda one=one: status(one) == 200)
    # Each replica asks for a processor, and each node has one.
    until(lambda: two_sessions(found[0]))
    return found


def status(server, **asked):
    """Return the status of an answer; 0: there is none."""
    try:
        return server.ask(**asked)[0]
    except OSError:
        return 0


def two_sessions(server):
    """Return two sessions that different replicas answer; None: all are at one."""
    try:
        return server.two_sessions()
    except AssertionError:
        return None


def test_both_nodes_answer_with_the_bytes_of_a_plain_engine(proxies):
    model = load_engine(Settings(model="small", threads=1), lambda done, text: None).session("alone")
    wanted = {text: generated(model, text) for text in TEXTS}
    sessions = two_sessions(proxies[0])
    for proxy in proxies:
        for session in sessions:
            for text in TEXTS:
                lines = proxy.lines(session, text)[1]
                assert "".join(line.get("text", "") for line in lines) == wanted[text]


def test_a_session_is_at_one_replica_whichever_node_is_asked(proxies):
    one, other = two_sessions(proxies[0])
    before = proxies[0].counted(one), proxies[0].counted(other)
    for proxy in proxies:
        for _ in range(3):
            proxy.lines(one, "x", max_tokens=1)
    assert (proxies[1].counted(one), proxies[1].counted(other)) == (before[0] + 6, before[1])


def test_both_nodes_want_the_token_and_know_the_name_of_the_file(proxies):
    for proxy in proxies:
        assert status(proxy, token=None) == 401
        assert status(proxy, method="POST", path="/aide/v1/generate", body=generation("x"), token=None) == 401
        assert status(proxy, Host=NAME) == 200
        assert status(proxy, Host="rebound.example") == 421


def test_whoever_lacks_the_token_of_ray_deploys_nothing(cluster, proxies, file):
    path = "/api/serve/applications/"
    assert [cluster.ray_status(path, token) for token in (None, "another", RAY_TOKEN)] == [401, 403, 200]
    assert (
        cluster.deploy(file, RAY_AUTH_TOKEN="another-token-that-is-as-long-as-it-has-to-be").returncode != 0
    )


def test_a_node_is_lost_then_the_other_one_answers_all(cluster, proxies):
    """Last: it ends a node."""
    sessions = two_sessions(proxies[0])
    wanted = [text_of(proxies[0], session) for session in sessions]
    cluster.kill_worker()
    for session, text in zip(sessions, wanted, strict=True):
        until(lambda session=session: status(proxies[0], session=session) == 200)
        assert text_of(proxies[0], session) == text


def text_of(server, session):
    return "".join(line.get("text", "") for line in server.lines(session, TEXTS[0])[1])
