"""Which pictures the documentation has, and how each is reached in the demo. Standard library only."""

from dataclasses import dataclass

DESKTOP = (1280, 800)
PHONE = (390, 844)
LARGEST = 60_000  # bytes of one picture


@dataclass(frozen=True)
class Click:
    selector: str
    words: str = ''


@dataclass(frozen=True)
class Type:
    selector: str
    text: str


@dataclass(frozen=True)
class See:
    """Wait for an element."""

    selector: str
    words: str = ''


@dataclass(frozen=True)
class Picture:
    """One picture.

    :param path: where it is, without Odoo's address; `{id}` stands for the record
    :param record: model and domain of the record, of several the newest; at the end the field with the id, if another
    :param steps: what is done there first
    :param shows: selector and words of what must be seen at last
    """

    login: str
    path: str
    shows: tuple[str, str]
    record: tuple | None = None
    steps: tuple = ()
    size: tuple[int, int] = DESKTOP


ROW = '.o_data_row'
CELL = f'{ROW} td.o_data_cell'
STEP = '.o_statusbar_status .o_arrow_button_current'
NEXT = "button[name='action_setup_next']"
CARD = '.o_xero_dashboard .o_kanban_record'
GROUP = '.o_group_header'
TAB = '.o_notebook .nav-link'
DRINKS = ('xero.connection', [('name', 'ilike', 'Drink Bottle')])
CONFIGURE = (
    Click("button[name='action_setup']"), See(STEP, "Initial configuration"), Click(NEXT), See(STEP, "Authentication"),
    Click(NEXT), See(STEP, "Configuration"))
WEB_SHOP = ('xero.connection', [('name', '=', 'Web shop')])

PICTURES = {
    'dashboard': Picture('admin', '/odoo/xero', (CARD, "Web shop"), size=(1280, 900)),
    'dashboard_phone': Picture('admin', '/odoo/xero', (CARD, ""), size=(390, 440)),
    # what comes from Xero
    'setup': Picture(
        'admin', '/odoo/xero-connections/{id}', ('.o_form_view', "What comes along"), record=DRINKS, steps=CONFIGURE),
    'test_order': Picture(
        'admin', '/odoo/xero-connections/{id}', ('.modal', "Nothing was created"), record=DRINKS, steps=(
            *CONFIGURE, Click(NEXT), Click("button[name='action_test_order']"),
            Click(".modal button[name='action_show']"))),
    'rules': Picture(
        'admin', '/odoo/xero-connections/{id}', (CELL, "Gold Coast"), record=DRINKS),
    'try': Picture(
        'admin', '/odoo/xero-connections/{id}', (f'.modal {ROW}', "imported"), record=DRINKS, steps=(
            Click("button[name='action_try']"),
            Type(".modal [name='reference'] input", "PO 7741 Drink Bottle Distribution - GC"),
            Click(".modal [name='warehouse_id']", "Gold Coast"),
            Click(".modal button[name='action_dry_run']"))),
    'order': Picture(
        'admin', '/odoo/xero-orders/{id}', ('.o_form_view', "Why this warehouse"), steps=(Click(TAB, "Xero"),),
        record=('sale.order', [
            ('xero_pdf_id', '!=', False), ('delivery_instructions', '!=', False), ('xero_mapping_id', '!=', False)])),
    'transfer': Picture(
        'picker', '/odoo/xero-transfers/{id}', ('.o_form_view', "acking instructions"),
        record=('stock.picking', [('packing_instructions', '!=', False), ('state', '=', 'assigned')])),
    'change': Picture(
        'admin', '/odoo/xero-orders/{id}', ('button', "Keep as it is"),
        record=('xero.record', [('problem_code', '=', 'change_held')], 'res_id')),
    'problems': Picture('admin', '/odoo/xero-problems', (ROW, "Unknown item code"), size=(1280, 760)),
    'log': Picture('admin', '/odoo/xero-log', (ROW, "")),
    # products, and what goes to Xero
    'products': Picture('admin', '/odoo/xero-products', (ROW, ""), size=(1280, 760)),
    'preview': Picture(
        'accountant', '/odoo/xero-orders/{id}', ("[name='line_ids'] .o_data_row", ""),
        record=('sale.order', [('partner_id.name', 'ilike', 'Northpoint'), ('state', '=', 'sale')]),
        steps=(
            Click("button[name='action_xero_preview']"), Click("[name='line_ids'] td[name='unit_amount']", "3.35"),
            Type(".o_selected_row [name='unit_amount'] input", "3.60"), See('.o_form_view', "144.52")),
        size=(1280, 720)),
    'sent': Picture('accountant', '/odoo/xero-sent', (ROW, ""), size=(1280, 720)),
    'compare': Picture(
        'accountant', '/odoo/xero-differences', (ROW, "Voided or deleted"), steps=(Click(GROUP, "Only in Odoo"),),
        size=(1280, 480)),
    # customers in the portal
    'portal': Picture('customer', '/my/xero/{id}/setup/configuration', ('main', "Which warehouse"), record=WEB_SHOP),
    'portal_phone': Picture('customer', '/my/xero/{id}', ('main', "Newest invoices"), record=WEB_SHOP, size=PHONE),
    'portal_log_phone': Picture(
        'customer', '/my/xero/{id}/log?show=failed', ('main', "WEB-0003"), record=WEB_SHOP, size=PHONE),
    'settings': Picture(
        'admin', '/odoo/settings', ('.o_setting_box', "Customers connect themselves"),
        steps=(Click('.settings_tab .tab', "Xero"),), size=(1280, 660)),
    'fees': Picture('admin', '/odoo/xero-fees', (ROW, "Southern Cross"), size=(1280, 420)),
}
