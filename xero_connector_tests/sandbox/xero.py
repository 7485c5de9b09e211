"""`xero`: the fake Xero alone, until Ctrl-C. Needs neither Odoo nor PostgreSQL."""

import json
import os
from pathlib import Path

from . import utc
from .console import SandboxError, say
from .processes import remember


def run(options) -> int:
    from .fake_xero import FakeXero

    data = _read(options.data) if options.data else None
    fake = FakeXero(port=options.port, data=data)
    if data is None:
        from . import story

        story.build(fake, utc.today())
    pid_file = remember('xero', os.getpid())
    try:
        # its reader waits for exactly this line
        print(json.dumps(fake.describe()), flush=True)
        say(f"The fake Xero serves {len(fake.organisations)} organisation(s); Ctrl-C ends it.")
        fake.serve_forever()
    except KeyboardInterrupt:
        say("Ended.")
    finally:
        fake.stop()
        pid_file.unlink(missing_ok=True)
    return 0


def _is_list_of_objects(elements) -> bool:
    return isinstance(elements, list) and all(isinstance(element, dict) for element in elements)


def _read(name: str) -> dict:
    try:
        data = json.loads(Path(name).read_text(encoding='utf-8'))
    except OSError as error:
        raise SandboxError(f"{name} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise SandboxError(f"{name} is not JSON: {error}.") from None
    if not isinstance(data, dict) or not all(_is_list_of_objects(elements) for elements in data.values()):
        raise SandboxError(f'{name} must hold one object of lists, such as {{"Invoices": [...], "Contacts": [...]}}.')
    return data
