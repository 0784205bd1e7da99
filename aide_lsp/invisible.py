r"""Removes or escapes characters that are invisible or that reorder the text around them.

They are removed from text that is inserted into a document, and escaped as in `\u202e` for terminals and
logs. The table is written out here, so that the same text gives the same result with every version of Python.
"""

import re
from functools import cache

_NONE = r"\ufdd0-\ufdef" + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(17))
"""Noncharacters."""
_INVISIBLE = (
    # Control characters except tab and line feed.
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"
    # Unicode's Default_Ignorable_Code_Point: zero-width characters, direction marks and overrides, fillers,
    # variation selectors, tags, and code points reserved for more of them.
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # Line and paragraph separators, interlinear annotations, an empty Braille cell, an empty note.
    r"\u2028\u2029\ufff9-\ufffb\u2800\U0001d159"
    # Lone surrogates.
    r"\ud800-\udfff"
) + _NONE
_EMOJI = (
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299"
    r"\U0001f000-\U0001faff]"
)
# Scripts whose letters join or combine, such as Arabic and Devanagari.
_LETTER = rf"(?![{_INVISIBLE}])[\u0590-\u1cff\ua800-\uabff\U00010800-\U00011fff\U0001e900-\U0001e95f]"


def visible(text: str, before: str = "", after: str = "") -> str:
    """Return `text` without invisible characters, to be inserted between two texts on one line.

    Joiners that letters or emoji need are kept. What these texts contain is no exception: someone may have
    hidden it there.
    """
    # The pattern looks no further: at an emoji with its variation selector before, and one character after.
    head, tail = before[-2:], after[:1]
    joined, end = head + text + tail, len(head) + len(text)

    def kept(found: re.Match[str]) -> str:
        inserted = len(head) <= found.start() < end
        return "" if inserted and not found["needed"] else found.group()

    cleaned = _pattern().sub(kept, joined)
    return cleaned[len(head) : len(cleaned) - len(tail)]


def escaped(text: str) -> str:
    r"""Return `text` with each invisible character escaped as in JSON, such as `\u001b`."""
    return _pattern().sub(lambda found: found["needed"] or _escape(found.group()), text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


@cache
def _pattern() -> re.Pattern[str]:
    """Compile the table when it is first needed: at start-up it would cost some milliseconds."""
    return re.compile(
        rf"""
        (?=[{_INVISIBLE}])
        (?:
            (?P<needed>
                (?<={_LETTER})[\u200c\u200d](?={_LETTER})               # joins letters, or keeps them apart
              | (?:(?<={_EMOJI})|(?<={_EMOJI}\ufe0f))\u200d(?={_EMOJI}) # makes one emoji of two
              | (?<={_EMOJI})[\ufe0e\ufe0f]                             # an emoji as a picture or a sign
              | (?<=[0-9\#*])\ufe0f(?=\u20e3)                           # a key cap
            )
          | .
        )
        """,
        re.VERBOSE | re.DOTALL,
    )
