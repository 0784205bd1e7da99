"""How property tests draw their examples: the same ones every time, or new ones for `make search`.

A pytest plugin. The profile `fixed` is the default: its examples depend on the test alone, not on chance,
speed, earlier failures, or what else is imported. The profile `search` draws more examples, from a seed
of its own, and prints each failing one as an `@example` that can be pasted above its test.
"""

import re

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis.internal.conjecture import providers

SEARCH = "search"
TIMES = 3
"""As many examples as usual in each round of a search."""
FAILING = re.compile(r"(?:Falsifying|Failing) (?:explicit )?(?:example|test case): ")

hypothesis.settings.register_profile(
    "fixed",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis.settings.register_profile(SEARCH, hypothesis.settings.get_profile("fixed"), derandomize=False)
hypothesis.settings.load_profile("fixed")


def pytest_configure(config):
    """Keep fixed examples fixed.

    Hypothesis also draws constants from the modules that are loaded so far, unless their path looks like that
    of a test. So examples would change with the order of the tests, with any constant, and with the folder.
    """
    if config.getoption("--hypothesis-profile") != SEARCH:
        providers._get_local_constants = lambda: providers._local_constants


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Draw more examples in a search, also where a test says how many."""
    tests = [item.obj for item in items if item.get_closest_marker("hypothesis")]
    for test in tests if config.getoption("--hypothesis-profile") == SEARCH else ():
        own = test._hypothesis_internal_use_settings
        more = hypothesis.settings(own, max_examples=own.max_examples * TIMES)
        test._hypothesis_internal_use_settings = more


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show failing examples of a search in a form that can be pasted."""
    report = yield
    if call.excinfo is not None and item.config.getoption("--hypothesis-profile") == SEARCH:
        for text in as_examples(call.excinfo.value, item.fixturenames):
            report.sections.append(("Paste above the test", text))
    return report


def as_examples(error, fixtures):
    """Return the failing examples of an error as decorators."""
    errors = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
    notes = [note for one in errors for note in getattr(one, "__notes__", ())]
    return [as_example(note, fixtures) for note in notes if FAILING.match(note)]


def as_example(note, fixtures):
    """Turn `... example: test_x(\\n    a=1,\\n)` into `@example(a=1)`, without the values of fixtures."""
    _, *parts = re.split(r"^    (\w+)=", note.rpartition(")")[0], flags=re.MULTILINE)
    given = zip(parts[::2], parts[1::2], strict=True)
    values = (f"{name}={value.strip().rstrip(',')}" for name, value in given if name not in fixtures)
    return f"@example({', '.join(values)})"
