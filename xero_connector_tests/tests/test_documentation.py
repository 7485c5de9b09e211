"""What is written for people: it can be read, and shows what there is."""

import re
from pathlib import Path

import lxml.html
from docutils.core import publish_doctree
from docutils.utils import SystemMessage

from odoo.tests import BaseCase, tagged

from ..sandbox.picture_list import LARGEST, PICTURES

ROOT = Path(__file__).resolve().parents[2]
ADDON = ROOT / "xero_connector"
FOLDER = ADDON / "static" / "description"


@tagged("post_install", "-at_install")
class TestDocumentation(BaseCase):
    def _page(self):
        return lxml.html.document_fromstring((FOLDER / "index.html").read_text(encoding="utf-8"))

    def test_the_readme_is_valid_and_none_of_its_links_leads_nowhere(self):
        text = (ROOT / "README.rst").read_text(encoding="utf-8")
        try:
            publish_doctree(text, settings_overrides={"report_level": 1, "halt_level": 1, "warning_stream": False})
        except SystemMessage as message:
            self.fail(str(message))

    def test_the_readme_names_every_command(self):
        text = (ROOT / "README.rst").read_text(encoding="utf-8")
        code = (ROOT / "xero_connector_tests" / "__main__.py").read_text(encoding="utf-8")
        verbs = re.findall(r"add_parser\(\s*'(\w+)'", code)
        self.assertIn("demo", verbs)
        self.assertFalse([verb for verb in verbs if f"``{verb}" not in text])

    def test_every_file_the_readme_names_is_there(self):
        text = (ROOT / "README.rst").read_text(encoding="utf-8")
        paths = set(re.findall(r"``([\w/.-]+\.(?:py|txt|svg))``", text)) | set(re.findall(r":: (\S+\.svg)", text))
        self.assertGreater(len(paths), 50)
        known = {path.name for addon in ROOT.glob("xero_connector*") for path in addon.rglob("*.py")}
        missing = [path for path in paths if not (ROOT / path).exists() and ("/" in path or path not in known)]
        self.assertFalse(missing)

    def test_no_line_is_longer_than_a_screen(self):
        for path in (ROOT / "README.rst", FOLDER / "index.html", *(ADDON / "readme").glob("*.md")):
            lines = path.read_text(encoding="utf-8").splitlines()
            with self.subTest(path.name):
                self.assertFalse([number for number, line in enumerate(lines, start=1) if len(line) > 120])

    def test_each_picture_is_small_is_shown_on_the_page_and_made_by_the_command(self):
        shown = {image.get("src") for image in self._page().iter("img")}
        pictures = {path.name: path.stat().st_size for path in FOLDER.glob("*.png") if path.name != "icon.png"}
        self.assertEqual(shown, set(pictures))
        self.assertEqual(shown, {f"{name}.png" for name in PICTURES})
        self.assertFalse([name for name, size in pictures.items() if size > LARGEST])

    def test_the_page_fetches_nothing_from_elsewhere_and_says_what_each_picture_shows(self):
        page = self._page()
        self.assertFalse(page.xpath("//script | //link | //style | //iframe | //*[@style]"))
        self.assertFalse([image.get("src") for image in page.iter("img") if not image.get("alt")])
        self.assertFalse([src for src in page.xpath("//@src") if "/" in src])
