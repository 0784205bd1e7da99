"""The Hub's answers: what is chosen, what is read, and each way in which it refuses or lies."""

from itertools import pairwise

import pytest

from aide_lsp.catalog.adding import hub_repository
from aide_lsp.catalog.adding.hub_repository import look_up, read_header
from aide_lsp.catalog.adding.source import HubAddress
from aide_lsp.errors import DownloadError
from tests.catalog.adding.conftest import REPO
from tests.hub_stand_in import COMMIT, Refusal

FILE = HubAddress(REPO, "tiny.gguf")
ALL = lambda size: lambda data: bytes(data) if len(data) == size else None  # noqa: E731


def lines(hub):
    return [one.replace(f"/{REPO}", "") for one in hub.seen]


def test_file_is_pinned_to_its_commit_size_and_sha256(hub, tiny_bytes):
    found = look_up(FILE)
    assert (found.commit, found.size, found.license) == (COMMIT, len(tiny_bytes), "apache-2.0")
    assert found.others == ()
    assert read_header(found, ALL(len(tiny_bytes))) == tiny_bytes
    assert lines(hub)[:2] == [
        "GET /api/models",
        f"GET /resolve/{COMMIT}/tiny.gguf bytes=0-{len(tiny_bytes) - 1}",
    ]


def test_only_as_much_is_read_as_is_needed(hub):
    hub.repos[REPO]["tiny.gguf"] = bytes(40 << 20)
    lengths = []
    read_header(look_up(FILE), lambda data: lengths.append(len(data)) or (len(lengths) == 3) or None)
    assert lengths[0] >= 1 << 20
    assert all(2 * one <= other for one, other in pairwise(lengths))
    assert lengths[-1] < 10 << 20


@pytest.mark.parametrize("at_once", [100_000, 1])
def test_line_that_breaks_off_is_continued_or_given_up(hub, tiny_bytes, at_once):
    hub.at_once = at_once
    found = look_up(FILE)
    if at_once == 1:
        with pytest.raises(DownloadError, match=r"does not end within 0 MB|cannot be reached"):
            read_header(found, ALL(len(tiny_bytes)))
        assert len([one for one in hub.seen if "/storage/" in one]) == 3
    else:
        hub.at_once = len(tiny_bytes) // 2 + 1
        assert read_header(found, ALL(len(tiny_bytes))) == tiny_bytes


def test_storage_without_ranges_gives_the_beginning_too(hub, tiny_bytes):
    hub.has_ranges = False
    assert read_header(look_up(FILE), ALL(len(tiny_bytes))) == tiny_bytes


def test_storage_that_never_ends_is_left_after_the_limit(hub, monkeypatch):
    monkeypatch.setattr(hub_repository, "HEADER_BYTES", 4 << 20)
    hub.is_endless, hub.has_ranges = True, False
    hub.listing = {"siblings": [sibling("tiny.gguf", 1 << 40)]}
    with pytest.raises(DownloadError, match="does not end within 4 MB"):
        read_header(look_up(FILE), lambda data: None)


def test_storage_that_drips_is_left_after_a_time(hub, monkeypatch):
    monkeypatch.setattr(hub_repository, "HEADER_SECONDS", -1.0)
    with pytest.raises(DownloadError, match="which is too slow"):
        read_header(look_up(FILE), lambda data: None)


def test_file_whose_size_is_stated_twice_and_differs_is_refused(hub):
    hub.listing = {"siblings": [sibling("tiny.gguf", 1000)]}
    with pytest.raises(DownloadError, match=r"states two sizes of tiny.gguf: 1000 and"):
        read_header(look_up(FILE), lambda data: None)


def sibling(name, size, **large):
    lfs = {"sha256": "a" * 64, "size": size, "pointerSize": 134} | large
    return {"rfilename": name, "size": size, "lfs": lfs}


NAMES = [
    ("one", ["README.md", "mmproj-f16.gguf", "x.gguf"], None, "x.gguf"),
    ("Q4_K_M", ["x-Q8_0.gguf", "x.q4_k_m.gguf", "x-Q4_K_S.gguf"], None, "x.q4_k_m.gguf"),
    ("named", ["x-Q8_0.gguf", "x-Q4_K_M.gguf"], "q8_0", "x-Q8_0.gguf"),
    ("in a folder", ["gguf/x-Q4_K_M.gguf", "gguf/x-Q8_0.gguf"], None, "gguf/x-Q4_K_M.gguf"),
]


@pytest.mark.parametrize(("names", "quantization", "chosen"), [case[1:] for case in NAMES], ids=lambda _: "")
def test_obvious_file_is_chosen_and_the_others_are_named(hub, names, quantization, chosen):
    hub.repos[REPO] = dict.fromkeys(names, b"x" * 10)
    found = look_up(HubAddress(REPO, quantization=quantization))
    assert found.file == chosen
    assert len(found.others) == sum(name.endswith(".gguf") and "mmproj" not in name for name in names) - 1


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["x-Q8_0.gguf", "x-Q5_0.gguf"], r"has 2 GGUF files, and none of them with Q4_K_M: .*x-Q5_0.gguf"),
        (["a-Q4_K_M.gguf", "b-Q4_K_M.gguf"], "has 2 GGUF files, and 2 of them with Q4_K_M"),
        (["model.safetensors"], "has no GGUF file of a model"),
        (["x-00001-of-00002.gguf", "x-00002-of-00002.gguf"], "only GGUF files that are split"),
    ],
)
def test_choice_that_is_not_obvious_is_left_to_the_user(hub, names, said):
    hub.repos[REPO] = dict.fromkeys(names, b"x")
    with pytest.raises(DownloadError, match=said):
        look_up(HubAddress(REPO))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("model.safetensors", "is not a GGUF file"),
        ("x-00001-of-00002.gguf", "is one part of a split model"),
        ("tinny.gguf", "Did you mean tiny.gguf"),
        ("unlike anything else", "has no file unlike anything else. It has"),
    ],
)
def test_file_that_cannot_be_added_is_refused_by_its_name(hub, tiny_bytes, file, said):
    hub.repos[REPO] |= {"model.safetensors": b"x", "x-00001-of-00002.gguf": b"x"}
    with pytest.raises(DownloadError, match=said):
        look_up(HubAddress(REPO, file))
    assert [one for one in hub.seen if "resolve" in one] == []


@pytest.mark.parametrize(
    ("address", "refusal", "said"),
    [
        (HubAddress("someone/missing"), None, "no public repository someone/missing at .*hf auth login"),
        (HubAddress(REPO, "tiny.gguf", "v9"), None, "has no revision v9"),
        (FILE, Refusal(429, headers={"Retry-After": "77"}), "no more requests .*77 seconds"),
        (FILE, Refusal(429, headers={"RateLimit": '"api";r=0;t=55'}), "no more requests .*55 seconds"),
        (FILE, Refusal(500), "cannot be reached .*status 500.*Try again later"),
        (FILE, Refusal(403), "does not show .* to you"),
        (FILE, Refusal(404), "no public repository"),
        (
            FILE,
            Refusal(403, headers={"X-Error-Message": "Access to this resource is disabled."}),
            "has disabled",
        ),
    ],
)
def test_each_refusal_says_what_to_do(hub, address, refusal, said):
    if refusal is not None:
        hub.refuse["/api/"] = refusal
    with pytest.raises(DownloadError, match=said):
        look_up(address)


def test_gated_repository_says_where_its_terms_are(hub):
    hub.gated.add(REPO)
    with pytest.raises(DownloadError, match=f"is gated: accept its terms at {hub.url}/{REPO}, log in"):
        read_header(look_up(FILE), lambda data: None)


def test_token_is_sent_only_where_it_is_needed_and_never_to_the_storage(hub, tiny_bytes, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.token = "hf_secret"
    assert read_header(look_up(FILE), ALL(len(tiny_bytes))) == tiny_bytes
    assert [one for one in hub.headers if "authorization" in one] == []
    hub.hidden.add(REPO)
    found = look_up(FILE)
    assert read_header(found, ALL(len(tiny_bytes))) == tiny_bytes
    sent = [line for line, one in zip(hub.seen, hub.headers, strict=True) if "authorization" in one]
    assert [line.split("/")[1] for line in sent] == ["api", "someone"]
    assert "hf_secret" not in repr(found)


LISTINGS = [
    ({"siblings": None}, "has no GGUF file|has no file"),
    ({"siblings": "x"}, "has no file"),
    ({"siblings": [None, 1, {}, {"rfilename": 1}, {"rfilename": "a\x1b[2J.gguf"}]}, "has no file"),
    ({"siblings": [sibling("tiny.gguf", -1)]}, "does not state size and sha256"),
    ({"siblings": [sibling("tiny.gguf", True)]}, "does not state size and sha256"),
    ({"siblings": [sibling("tiny.gguf", 1 << 60)]}, "does not state size and sha256"),
    ({"siblings": [sibling("tiny.gguf", 10, sha256="x" * 64)]}, "does not state size and sha256"),
    ({"siblings": [{"rfilename": "tiny.gguf", "size": 10, "lfs": []}]}, "does not state size and sha256"),
    ({"sha": "main"}, "names no commit"),
    ({"sha": None}, "names no commit"),
]


@pytest.mark.parametrize(("listing", "said"), LISTINGS)
def test_listing_with_anything_in_it_is_a_message(hub, listing, said):
    hub.listing = listing
    with pytest.raises(DownloadError, match=said):
        look_up(FILE)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_listing_is_a_message(hub, body):
    hub.body = body
    with pytest.raises(DownloadError, match="no list of files"):
        look_up(FILE)


def test_listing_without_end_is_left(hub, monkeypatch):
    monkeypatch.setattr(hub_repository, "LISTING_BYTES", 100)
    with pytest.raises(DownloadError, match="too long"):
        look_up(FILE)


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"license": "mit"}, "mit"),
        ({"license": "other", "license_name": "deepseek"}, "deepseek"),
        ({"license": ["mit"]}, ""),
        (None, ""),
    ],
)
def test_license_is_that_of_the_page(hub, card, said):
    hub.card = card
    assert look_up(FILE).license == said


def test_license_may_be_a_tag(hub):
    hub.card, hub.listing = {}, {"tags": ["gguf", None, "license:apache-2.0"]}
    assert look_up(FILE).license == "apache-2.0"
