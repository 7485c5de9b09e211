"""`clean`: end what runs and remove the sandbox."""

import subprocess

from . import building, processes, venv
from .console import say, step
from .paths import ROOT, SANDBOX, venv_python


def run(options) -> int:
    if not SANDBOX.exists():
        say("There is no sandbox here.")
        return 0
    with step("Ending what runs"):
        processes.end_remembered()
        if venv.is_ready():
            _stop_postgres(options.db_url)
    with building.build_lock(), step("Removing .sandbox"):
        building.remove_tree(SANDBOX)
    return 0


def _stop_postgres(db_url: str) -> None:
    """In the environment's Python: what talks to PostgreSQL lives there."""
    code = "from xero_connector_tests.sandbox import postgres; postgres.remove()"
    if db_url:
        code = (
            "import sys; from xero_connector_tests.sandbox import databases, postgres\n"
            "with postgres.server(sys.argv[1]) as server: databases.drop_all(server)\n" + code
        )
    subprocess.run([str(venv_python()), '-c', code, db_url], cwd=ROOT, check=False)
