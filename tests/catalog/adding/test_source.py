"""What a user's words name: paths, addresses of the Hub, and what is neither."""

import pytest

from aide_lsp.catalog.adding.source import HubAddress, LocalSource, parse_source
from aide_lsp.errors import DownloadError, ModelFilesError


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("hf:a/b", HubAddress("a/b")),
        ("HF:a/b ", HubAddress("a/b")),
        ("hf://a/b/c.gguf", HubAddress("a/b", "c.gguf")),
        ("hf:a/b/sub/c.gguf", HubAddress("a/b", "sub/c.gguf")),
        ("hf:a/b/c.gguf@v1.0", HubAddress("a/b", "c.gguf", "v1.0")),
        ("hf:a/b@refs/pr/1", HubAddress("a/b", None, "refs/pr/1")),
        ("hf:a/b:Q8_0", HubAddress("a/b", None, None, "Q8_0")),
        ("https://huggingface.co/a/b", HubAddress("a/b")),
        ("https://huggingface.co/a/b/", HubAddress("a/b")),
        ("https://huggingface.co/a/b/tree/main", HubAddress("a/b", None, "main")),
        ("https://huggingface.co/a/b/blob/main/c%2Bd.gguf", HubAddress("a/b", "c+d.gguf", "main")),
        (
            "https://huggingface.co/a/b/resolve/main/s/c.gguf?download=true",
            HubAddress("a/b", "s/c.gguf", "main"),
        ),
        ("https://huggingface.co/a/b?show_file_info=s%2Fc.gguf", HubAddress("a/b", "s/c.gguf")),
        (
            "https://huggingface.co/a/b/tree/main?show_file_info=c.gguf",
            HubAddress("a/b", "c.gguf", "main"),
        ),
        ("https://hf.co/a/b", HubAddress("a/b")),
        ("hf.co/a/b", HubAddress("a/b")),
        ("http://hub.example:8080/a/b", HubAddress("a/b")),
    ],
)
def test_address_of_the_hub(words, address, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example:8080")
    assert parse_source(words) == address


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("hf:", "names no repository"),
        ("hf:a", "names no repository"),
        ("hf:../b", "names no repository"),
        ("hf:a/b/../../etc/passwd", "names no file"),
        ("hf:a/b/c\\d.gguf", "names no file"),
        ("hf:a/b/c.gguf@../x", "is no branch"),
        ("hf:a/b/c.gguf@", None),
        ("hf:a/b:Q 8", "is no quantization"),
        ("https://example.com/model.gguf", "only from the Hugging Face Hub"),
        ("https://huggingface.co.evil.example/a/b", "only from the Hugging Face Hub"),
        ("https://user@huggingface.co/a/b", "only from the Hugging Face Hub"),
        ("ftp://huggingface.co/a/b", "only from the Hugging Face Hub"),
        ("file://host/model.gguf", "only from the Hugging Face Hub"),
        ("https://huggingface.co/a", "names no repository"),
        ("https://huggingface.co/", "names no repository"),
    ],
)
def test_what_is_no_address_of_the_hub_is_refused_with_what_was_expected(words, said):
    if said is None:
        assert parse_source(words) == HubAddress("a/b", "c.gguf")
        return
    with pytest.raises(DownloadError, match=said):
        parse_source(words)


def test_path_is_made_absolute_and_links_are_kept(tmp_path, monkeypatch):
    (tmp_path / "blob").write_bytes(b"")
    (tmp_path / "model.gguf").symlink_to(tmp_path / "blob")
    monkeypatch.chdir(tmp_path)
    assert parse_source("model.gguf") == LocalSource(tmp_path / "model.gguf")


def test_address_of_a_file_is_its_path(tmp_path):
    (tmp_path / "my model.gguf").write_bytes(b"")
    assert parse_source((tmp_path / "my model.gguf").as_uri()) == LocalSource(tmp_path / "my model.gguf")


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        "~nobody-of-this-name/x.gguf",
        "file:///no/such.gguf",
        "no/such/file.gguf",
        "C:\\nothing.gguf",
        "a/b",
    ],
)
def test_path_of_nothing_is_refused_with_what_was_expected(words):
    with pytest.raises(ModelFilesError, match="no file or folder"):
        parse_source(words)
