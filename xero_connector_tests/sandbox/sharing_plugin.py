"""For pytest: several runs share the same tests, file by file. Whoever is free takes the next file."""

from pathlib import Path

import pytest

from .paths import TEST_ADDON

# What takes longest for each test; begun first, it leaves no run alone with it at the end.
LONG = ('slow', 'tour', 'faults')


def arguments(folder) -> list[str]:
    """What pytest is called with, to share its tests with all runs that are called so with this folder."""
    # one word: of two, pytest takes the second for a folder of tests, and looks for its settings there
    return ['-p', f'{TEST_ADDON}.sandbox.sharing_plugin', f'--share={folder}']


def pytest_addoption(parser):
    parser.addoption('--share', metavar='FOLDER', help="share the tests with all runs of this folder, empty at first")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """As pytest's own, but for the files another run has taken."""
    folder = session.config.getoption('--share')
    if not folder or session.testsfailed or session.config.option.collectonly:
        return None
    items = _taken(session.items, Path(folder))
    item = next(items, None)
    while item:
        following = next(items, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


def _taken(items: list, folder: Path):
    """The items of one file after the other, as long as there is one nobody has taken."""
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    for path in sorted(files, key=lambda path: _length(files[path]), reverse=True):
        if _take(folder / path.name):
            yield from files[path]


def _length(items: list) -> tuple[bool, int]:
    return any(item.get_closest_marker(mark) for item in items for mark in LONG), len(items)


def _take(path: Path) -> bool:
    """Whether we are the first to ask for it."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
