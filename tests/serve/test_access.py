"""Who may ask: nobody without the token, no web page, under no other name, on no path."""

import pytest

from tests.serve.serving import TOKEN, ask, head, is_fine, read_answer, running

PATHS = ["/aide/v1/engine", "/aide/v1/generate", "/metrics", "/", "/nothing", "/v1/models", "/docs"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"]


@pytest.fixture(scope="module")
def server():
    with running(names=("models.example.com",)) as found:
        yield found


@pytest.fixture(autouse=True)
def still_fine(server):
    yield
    is_fine(server)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", PATHS)
def test_request_without_a_token_then_refused_on_every_path_and_method(server, method, path):
    answer = ask(server, method, path, token=None)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert method == "HEAD" or answer.json()["error"]["code"] == "token"


@pytest.mark.parametrize(
    "value",
    [
        "Bearer wrong",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}",
        f"Bearer  {TOKEN}",
        f"Bearer\t{TOKEN}",
        f"Basic {TOKEN}",
        f"Bearer{TOKEN}",
        TOKEN,
        "Bearer",
        "Bearer ",
        "",
        "Bearer \xe9",
        "Bearer " + "x" * 10_000,
    ],
)
def test_request_with_another_token_then_refused(server, value):
    assert ask(server, token=None, Authorization=value).status == 401


def test_token_twice_then_refused(server):
    data = (
        head(token=None, path="/metrics")[:-2] + f"Authorization: Bearer {TOKEN}\r\n".encode() * 2 + b"\r\n"
    )
    with server.connect() as connection:
        connection.sendall(data)
        assert read_answer(connection).status == 401


@pytest.mark.parametrize(
    ("path", "more"),
    [
        (f"/aide/v1/engine?token={TOKEN}", {}),
        (f"/aide/v1/engine?access_token={TOKEN}&api_key={TOKEN}", {}),
        ("/aide/v1/engine", {"Cookie": f"token={TOKEN}"}),
        ("/aide/v1/engine", {"X_Api_Key": TOKEN}),
        ("/aide/v1/engine", {"Proxy_Authorization": f"Bearer {TOKEN}"}),
        ("/aide/v1/engine", {"X_Authorization": f"Bearer {TOKEN}"}),
    ],
)
def test_token_in_another_place_then_refused(server, path, more):
    assert ask(server, path=path, token=None, **more).status == 401


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_token_then_the_word_before_it_is_in_any_case(server, kind):
    assert ask(server, token=None, Authorization=f"{kind} {TOKEN}").status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "evil.example.com:80",
        "localhost.evil.example.com",
        "localhost@evil.example.com",
        "127.0.0.1.evil.example.com",
        "127.0.0.1:80:evil",
        "[::1].evil.example.com",
        "[::1]evil",
        "localhost:port",
        "localhost:123456",
        "localhost/evil",
        "127.1",
        "0x7f000001",
        "2130706433",
        " ",
        "",
        ".",
        "localhost, evil.example.com",
    ],
)
def test_page_whose_own_name_leads_here_then_refused_even_with_the_token(server, host):
    assert ask(server, host=host).status in (400, 421)
    assert ask(server, path="/health", host=host, token=None).status in (400, 421)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:7600",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1:8012",
        "[::1]:8012",
        "192.168.1.5:7600",
        "models.example.com",
        "Models.Example.com:443",
    ],
)
def test_name_or_address_of_this_server_then_answered(server, host):
    assert ask(server, host=host).status == 200


def test_request_without_a_host_then_refused(server):
    assert ask(server, host=None).status == 400


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "null", "http://localhost", "vscode-webview://x", ""]
)
def test_request_of_a_web_page_then_refused_and_no_other_origin_is_allowed(server, origin):
    for method in ("GET", "OPTIONS"):
        answer = ask(server, method, Origin=origin, Access_Control_Request_Method="POST")
        assert answer.status == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert ask(server, path="/health", token=None, Origin=origin).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/health/",
        "//health",
        "/health/../metrics",
        "/health/../aide/v1/engine",
        "/health%2f..%2fmetrics",
        "/%68ealth",
        "/health;x",
        "/health?x",
        "/HEALTH",
        "/health%00",
        "/./health",
        "http://localhost/health",
        "*",
        "health",
    ],
)
def test_path_that_looks_like_the_open_one_then_behind_the_token(server, path):
    assert ask(server, path=path, token=None).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/aide/v1/engine/",
        "//aide/v1/engine",
        "/aide/v1/../v1/engine",
        "/aide/v1/engine%00",
        "/aide/v1",
        "/AIDE/V1/ENGINE",
        "http://evil.example.com/aide/v1/engine",
        "/static/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..\\..\\windows\\win.ini",
    ],
)
def test_path_that_is_none_then_not_found_with_the_token(server, path):
    answer = ask(server, path=path)
    assert (answer.status, answer.json()["error"]["code"]) == (404, "path")


@pytest.mark.parametrize("method", [one for one in METHODS if one != "POST"])
def test_path_with_another_method_then_refused(server, method):
    assert ask(server, method, "/aide/v1/generate").status == 405


def test_health_then_open_and_silent(server):
    answer = ask(server, path="/health", token=None)
    assert (answer.status, answer.json()) == (200, {"status": "ready"})
    assert ask(server, "HEAD", "/health", token=None).status == 200
    assert ask(server, "POST", "/health", {}, token=None).status == 405


def test_answers_then_no_header_says_what_the_server_is(server):
    for path in ("/health", "/aide/v1/engine", "/nothing"):
        assert not {"server", "date", "x-powered-by", "via"} & set(ask(server, path=path).headers)


def test_model_that_loads_then_503_and_only_that():
    with running(loaded=False) as server:
        assert (ask(server, path="/health").status, ask(server, path="/health").json()) == (
            503,
            {"status": "loading"},
        )
        answer = ask(server, "POST", "/aide/v1/generate", {})
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert ask(server, path="/metrics").status == 200
        server.served.failed()
        assert ask(server, path="/health").json() == {"status": "failed"}


def test_no_token_needed_then_names_and_origins_are_checked_all_the_same():
    with running(token="") as server:
        assert ask(server, token=None).status == 200
        assert ask(server, token=None, host="evil.example.com").status == 421
        assert ask(server, token=None, Origin="null").status == 403
