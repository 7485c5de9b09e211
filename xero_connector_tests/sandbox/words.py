"""`words`: the template of the addon's terms, and every translation brought up to it.

Same terms, same bytes: Odoo's own export, without the dates it writes into the header.
"""

import tempfile
from pathlib import Path

import polib

from .console import say
from .databases import Databases
from .odoo import Odoo
from .paths import ADDON, CONFIG, ROOT

FOLDER = ROOT / ADDON / 'i18n'
TEMPLATE = FOLDER / f'{ADDON}.pot'
DATES = ('POT-Creation-Date', 'PO-Revision-Date')


def run(odoo: Odoo, databases: Databases) -> int:
    """Remake the template and merge it into each ``.po``; say which terms wait for a translation."""
    # the tests' own database, as they compare with it
    with databases.copy_for_run(databases.test_template(), 'words') as database, \
            tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / TEMPLATE.name
        odoo.run(
            "The terms could not be exported",
            'i18n', 'export', '--config', CONFIG, '--database', database, '--output', exported, ADDON)
        template = polib.pofile(str(exported))
    for date in DATES:
        template.metadata.pop(date, None)
    FOLDER.mkdir(exist_ok=True)
    template.save(str(TEMPLATE))
    say(f"{TEMPLATE.relative_to(ROOT)}: {len(template)} terms")
    for path in sorted(FOLDER.glob('*.po')):
        _follow(path, template)
    return 0


def _follow(path: Path, template: polib.POFile) -> None:
    """Give the translation the template's terms, in its order, and keep what is translated already."""
    translation = polib.pofile(str(path))
    done = {entry.msgid: entry for entry in translation}
    followed = polib.POFile()
    followed.header, followed.metadata = template.header, translation.metadata
    for term in template:
        known = done.get(term.msgid)
        followed.append(polib.POEntry(
            msgid=term.msgid, msgstr=known.msgstr if known else '', flags=known.flags if known else [],
            comment=term.comment, occurrences=term.occurrences, tcomment=known.tcomment if known else ''))
    followed.save(str(path))
    name = path.relative_to(ROOT)
    waiting = [entry for entry in polib.pofile(str(path)) if not entry.translated()]
    say(f"{name}: {len(waiting)} of {len(template)} terms wait for a translation")
    for entry in waiting:
        say(f"  {name}:{entry.linenum}: {entry.msgid[:80]!r}")
