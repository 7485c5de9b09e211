"""What a user does after the set-up: connect each organisation, then let the scheduled actions work."""

import time
from urllib.parse import urlsplit

from . import utc
from .console import SandboxError, step
from .rpc import RpcError, Session
from .story import SETUPS

CRONS = ('ir_cron_poll', 'ir_cron_process', 'ir_cron_files', 'ir_cron_items')
MAX_ROUNDS = 40


def connect_all(admin: Session, fake) -> None:
    """Take each connection through the authorise page, as its organisation's user would."""
    with step(f"Connecting {len(SETUPS)} organisations through Xero's consent page") as progress:
        for setup in SETUPS:
            progress.update(setup.organisation)
            connect(admin, fake, setup)


def connect(admin: Session, fake, setup) -> None:
    """One organisation's user consents; a connection that is connected already is connected again."""
    connection = admin.search_read('xero.connection', [('name', '=', setup.connection)], ['id'])[0]['id']
    action = admin.call('xero.connection', 'action_connect', [connection])
    # the consent, given by somebody of this organisation
    fake.auto_approve, fake.auto_tenants = True, [setup.tenant_id]
    try:
        answer = admin.get(action['url'])
    finally:
        fake.auto_approve, fake.auto_tenants = False, []
    state = admin.call('xero.connection', 'read', [connection], ['state', 'tenant_name', 'message'])[0]
    if state['state'] != 'connected' or state['tenant_name'] != setup.organisation:
        raise SandboxError(
            f"{setup.connection} is not connected after the consent: state {state['state']}, organisation "
            f"{state['tenant_name'] or 'none'}, {state['message'] or 'no message'}; the way ended at "
            f"{urlsplit(answer.url).path} with status {answer.status_code}."
        )


def run_crons(admin: Session) -> None:
    """Run the scheduled actions until nothing waits any more, and say so."""
    with step("Importing: the scheduled actions run") as progress:
        work_off(admin, progress.update)


def work_off(admin: Session, tell=lambda text: None) -> None:
    """Run the scheduled actions until no connection's turn has come and nothing waits any more."""
    for _round in range(MAX_ROUNDS):
        for cron in CRONS:
            trigger(admin, cron)
        connections, invoices, files = waiting(admin)
        tell(f"{invoices} invoices and {files} PDFs waiting")
        if not connections and not invoices and not files:
            return
        time.sleep(0.5)  # Odoo's scheduler may hold the rows now: asking again at once only uses up the rounds
    # what still waits shows in the table


def trigger(admin: Session, cron: str) -> None:
    """Run one scheduled action of the addon now."""
    try:
        result = admin.call('ir.cron', 'method_direct_trigger', [admin.reference(f'xero_connector.{cron}')])
    except RpcError as error:
        # the scheduler is running it this very moment, and does the same work
        if not error.kind.endswith('UserError'):
            raise
    else:
        if isinstance(result, dict):
            reason = result['params']['data']['debug'].strip().splitlines()[-1]
            raise SandboxError(f"The scheduled action {cron} failed: {reason}")


def waiting(admin: Session) -> tuple[int, int, int]:
    """Connections whose turn has come, invoices that are due, and PDFs that are to be fetched."""
    now = f'{utc.now():%Y-%m-%d %H:%M:%S}'
    return (
        admin.call('xero.connection', 'search_count', [
            ('state', '=', 'connected'), '|', ('next_poll', '<=', now), ('next_items', '<=', now)]),
        admin.call('xero.record', 'search_count', [('state', '=', 'pending'), ('resource', '=', 'invoice')]),
        admin.call('xero.record', 'search_count', [('files_state', '=', 'waiting')]),
    )
