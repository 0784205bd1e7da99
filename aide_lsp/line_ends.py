"""Line ends, of which models and grammars know one kind."""


def with_line_feeds(text: str) -> str:
    r"""Return a text with \n line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
