"""`pictures`: the documentation's pictures, made anew from the demo."""

import io
from pathlib import Path

from PIL import Image

from . import browser, demo
from .console import SandboxError, say, step
from .databases import DEMO
from .paths import ADDON, ROOT
from .picture_list import LARGEST, PICTURES, Click, Picture, Type
from .rpc import Session

FOLDER = ROOT / ADDON / 'static' / 'description'
COLOURS = (192, 128, 96, 64, 48, 32)


def run(options, workplace) -> int:
    names = options.only or list(PICTURES)
    if not browser.find():
        raise SandboxError("Pictures need Chromium or Chrome (on Debian: apt-get install chromium).")
    with demo.told(options, workplace) as (_server, url, differences):
        if differences:
            raise SandboxError("The demo did not go as it should: no pictures are made of that.")
        take(url, names, FOLDER)
    return 0


def take(url: str, names: list[str], folder: Path) -> None:
    """Make these pictures of the Odoo of `url`, where the demo has been told."""
    with browser.opened() as page:
        camera = _Camera(url, page)
        for name in names:
            with step(f"Picture {name}"):
                content = _small(camera.shoot(PICTURES[name]))
            (folder / f'{name}.png').write_bytes(content)
            say(f"  {len(content) / 1000:.0f} kB")


class _Camera:
    def __init__(self, url: str, page):
        self.url, self.page = url, page
        self.sessions = {}

    def shoot(self, picture: Picture) -> bytes:
        session = self._session(picture.login)
        self.page.set_cookie(self.url, 'session_id', session.http.cookies['session_id'])
        self.page.set_size(*picture.size)
        self.page.open(self.url + picture.path.format(id=self._id(picture)))
        for action in picture.steps:
            self._do(action)
        self.page.wait_for(*picture.shows)
        return self.page.picture()

    def _session(self, login: str) -> Session:
        if login not in self.sessions:
            self.sessions[login] = Session(self.url, DEMO, login, login)
        return self.sessions[login]

    def _id(self, picture: Picture) -> int:
        if not picture.record:
            return 0
        model, domain, *fields = picture.record
        field = fields[0] if fields else 'id'
        found = self._session('admin').search_read(model, domain, [field], order='id desc', limit=1)
        if not found:
            raise SandboxError(f"The demo has no {model} of {domain}.")
        return found[0][field]

    def _do(self, action) -> None:
        if isinstance(action, Click):
            self.page.click(action.selector, action.words)
        elif isinstance(action, Type):
            self.page.type(action.selector, action.text)
        else:
            self.page.wait_for(action.selector, action.words)


def _small(content: bytes) -> bytes:
    """The picture with as many colours as make a small file."""
    image = Image.open(io.BytesIO(content)).convert('RGB')
    for colours in COLOURS:
        output = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(output, 'PNG', optimize=True)
        if output.tell() <= LARGEST:
            break
    return output.getvalue()
