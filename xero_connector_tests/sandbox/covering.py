"""`test --coverage`: which lines of our addons no test comes to."""

from .building import remove_tree
from .console import say
from .paths import ADDON, GLUE_ADDON, ROOT, SANDBOX

FOLDER = SANDBOX / 'coverage'
DATA = FOLDER / 'data'  # with an ending for each process
ADDONS = (ROOT / ADDON, ROOT / GLUE_ADDON)
ENOUGH = 90  # percent; files below are named


def begin() -> list[str]:
    """Forget earlier runs. Returns what stands between Python and the module it is to run under observation."""
    remove_tree(FOLDER)
    FOLDER.mkdir(parents=True)
    sources = ','.join(map(str, ADDONS))
    return ['-m', 'coverage', 'run', '--parallel-mode', f'--data-file={DATA}', f'--source={sources}']


def report() -> None:
    """Print how many lines were executed in all processes that came to their end, and the files with too few."""
    from coverage import Coverage  # in the virtual environment alone

    measured = Coverage(data_file=str(DATA), source=[str(addon) for addon in ADDONS])
    measured.combine([str(FOLDER)])
    for addon in ADDONS:
        total = missed = 0
        for path in sorted(addon.rglob('*.py')):
            if path.name == '__manifest__.py':  # read, not run
                continue
            _name, lines, _excluded, missing, where = measured.analysis2(str(path))
            total, missed = total + len(lines), missed + len(missing)
            if _percent(lines, missing) < ENOUGH:
                say(f"  {path.relative_to(ROOT)}: {_percent(lines, missing)} %, not lines {where}")
        say(f"• {addon.name}: tests execute {100 - 100 * missed / total:.1f} % of {total} lines")


def _percent(lines: list, missing: list) -> int:
    return 100 - 100 * len(missing) // len(lines) if lines else 100
