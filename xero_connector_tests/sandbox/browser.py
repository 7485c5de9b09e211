"""A Chromium without a window, told over its DevTools protocol what to open, to click and to picture."""

import base64
import contextlib
import itertools
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests
import websocket

from .console import SandboxError
from .paths import LOG
from .processes import Child, free_port

# as odoo/tests/common.py looks for them
BROWSERS = ('google-chrome', 'chromium', 'chromium-browser', 'google-chrome-stable')
PATIENCE = 60  # seconds for anything to appear on a page
PAUSE = 0.15  # seconds between two looks
SWITCHES = (
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars',
    '--disable-extensions', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--disable-translate', '--mute-audio', '--lang=en-GB', '--force-color-profile=srgb',
    # the sandbox asks nobody outside
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
)


def find() -> str | None:
    """The path of a browser, if there is one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextlib.contextmanager
def opened() -> Iterator['Browser']:
    """A browser with an empty profile of its own.

    :raise SandboxError: when there is none
    """
    program = find()
    if not program:
        raise SandboxError("No Chromium or Chrome was found (on Debian: apt-get install chromium).")
    address = f'http://127.0.0.1:{(port := free_port())}/json'
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        child = Child('browser', [
            program, *SWITCHES, f'--remote-debugging-port={port}', f'--user-data-dir={profile}', 'about:blank',
        ], LOG / 'browser.log')
        try:
            child.wait_until_it_answers(f'{address}/version', 60)
            with requests.Session() as http:
                http.trust_env = False  # it is on this machine: no proxy
                page = http.put(f'{address}/new?about:blank', timeout=PATIENCE).json()
            socket = websocket.create_connection(
                page['webSocketDebuggerUrl'], timeout=PATIENCE, suppress_origin=True, http_no_proxy=['127.0.0.1'])
            with contextlib.closing(socket):
                yield Browser(socket)
        finally:
            child.stop()


class PageError(Exception):
    """The browser could not do what it was told; on its way to another page it never can."""


class Browser:
    """One page of it."""

    def __init__(self, socket):
        self._socket = socket
        self._ids = itertools.count(1)
        self._tell('Page.enable')
        script = Path(__file__).with_suffix('.js').read_text(encoding='utf-8')
        self._tell('Page.addScriptToEvaluateOnNewDocument', source=script)

    def set_size(self, width: int, height: int) -> None:
        self._tell(
            'Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)

    def set_cookie(self, url: str, name: str, value: str) -> None:
        self._tell('Network.setCookie', url=url, name=name, value=value)

    def open(self, url: str) -> None:
        self._tell('Page.navigate', url=url)

    def wait_for(self, selector: str, words: str = '') -> None:
        """Until such an element with these words is seen, and the page is at rest.

        :raise SandboxError: when it never comes, or the page shows an error
        """
        found = f'pictures.isAtRest() && !!pictures.find({json.dumps(selector)}, {json.dumps(words)})'
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(PageError):
                if error := self._evaluate('pictures.error()'):
                    raise SandboxError(f"The page shows an error: {' '.join(error.split())[:500]}")
                if self._evaluate(found):
                    return
            time.sleep(PAUSE)  # a page has no signal for being complete
        raise SandboxError(f"There is no “{selector}”{f' with “{words}”' if words else ''} on {self._place()}.")

    def click(self, selector: str, words: str = '') -> None:
        self.wait_for(selector, words)
        self._evaluate(f'pictures.find({json.dumps(selector)}, {json.dumps(words)}).click()')

    def type(self, selector: str, text: str) -> None:
        """Replace what stands in an input, and leave it."""
        self.wait_for(selector)
        self._evaluate(f'pictures.select({json.dumps(selector)})')
        self._tell('Input.insertText', text=text)
        self._evaluate('document.activeElement.blur()')

    def picture(self) -> bytes:
        """What is seen, as PNG, once it does not change any more: charts take a moment to be drawn.

        :raise SandboxError: when it never comes to rest
        """
        # Odoo's menu bar makes room for late counters beside it only then; a selected text is nobody's to see
        self._evaluate('dispatchEvent(new Event("resize")); document.activeElement.blur(); getSelection().empty()')
        before, deadline = b'', time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            now = base64.b64decode(self._tell('Page.captureScreenshot', format='png')['data'])
            if now == before:
                return now
            before = now
            time.sleep(4 * PAUSE)  # what moves more slowly than this would be taken for resting
        raise SandboxError(f"The page {self._place()} never comes to rest.")

    def _place(self) -> str:
        return self._evaluate('location.pathname')

    def _evaluate(self, expression: str):
        answer = self._tell('Runtime.evaluate', expression=expression, returnByValue=True)
        if 'exceptionDetails' in answer:
            raise PageError(answer['exceptionDetails'].get('exception', {}).get('description', expression))
        return answer['result'].get('value')

    def _tell(self, method: str, **parameters) -> dict:
        number = next(self._ids)
        self._socket.send(json.dumps({'id': number, 'method': method, 'params': parameters}))
        while (answer := json.loads(self._socket.recv())).get('id') != number:
            pass  # events are not ours to follow
        if 'error' in answer:
            raise PageError(f"{method}: {answer['error']['message']}")
        return answer['result']
