"""What the web client asks the server for when somebody opens a screen: the fields of the very view, one page of them,
the filters its action switches on, the count as far as the pager wants it."""

from dataclasses import dataclass, field

from lxml import etree

from odoo import fields
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

PAGE = {'list': 80, 'kanban': 40}
COUNTED = 10_001  # the pager says "10,000+"


@dataclass
class Screen:
    """A screen as somebody opens it.

    `action` names the window action; `kind` is its view; `filters` are switched on instead of the action's own;
    `domain` is what a button that opens it adds; `typed` is what somebody searches for in the first search field.
    """

    name: str
    action: str
    kind: str = 'list'
    filters: tuple[str, ...] | None = None
    domain: list = field(default_factory=list)
    typed: str = ''


class Browser:
    """A user before such screens. Views are read once, as the web client keeps them."""

    def __init__(self, env):
        self.env = env
        self._views = {}

    def prepare(self, screen: Screen):
        """The views are read.

        :return: function that asks for the screen's content, without any cache
        """
        action = self.env['ir.actions.act_window']._for_xml_id(f'xero_connector.{screen.action}')
        ids = {kind: view_id for view_id, kind in action['views']}
        search_id = action['search_view_id'][0] if action['search_view_id'] else False
        context = safe_eval(action['context'] or '{}', self._names())
        model = self.env[action['res_model']].with_context(**context)
        views = model.get_views([(ids.get(screen.kind, False), screen.kind), (search_id, 'search')])['views']
        arch = etree.fromstring(views[screen.kind]['arch'])
        domain = self._domain(screen, action, context, etree.fromstring(views['search']['arch']))
        ask = getattr(self, f'_ask_{screen.kind}')

        def opened():
            self.env.invalidate_all()
            return ask(model, arch, domain)

        return opened

    def prepare_form(self, record, view=None):
        """As `prepare`, for one record in its form."""
        view_id = view and self.env.ref(view).id
        arch = etree.fromstring(record.get_views([(view_id, 'form')])['views']['form']['arch'])
        specification = self._specification(record, arch)

        def opened():
            self.env.invalidate_all()
            return record.web_read(specification)

        return opened

    # === WHICH === #

    def _names(self) -> dict:
        return {'uid': self.env.uid, 'context_today': lambda: fields.Date.context_today(self.env.user)}

    def _domain(self, screen: Screen, action: dict, context: dict, search) -> Domain:
        domain = Domain(safe_eval(action['domain'] or '[]', self._names())) & Domain(screen.domain)
        filters = screen.filters
        if filters is None:
            prefix = 'search_default_'
            filters = [name.removeprefix(prefix) for name in context if name.startswith(prefix) and context[name]]
        for name in filters:
            [found] = search.xpath('//filter[@name=$name]', name=name)
            if text := found.get('domain'):
                domain &= Domain(safe_eval(text, self._names()))
        if screen.typed:
            first = search.find('field')
            text = first.get('filter_domain')
            by_name = [(first.get('name'), 'ilike', screen.typed)]
            domain &= Domain(safe_eval(text, {'self': screen.typed}) if text else by_name)
        return domain

    # === WHAT === #

    def _specification(self, model, arch) -> dict:
        found = {}
        for node in _own_fields(arch):
            name = node.get('name')
            if name not in model._fields:
                continue
            about = model._fields[name]
            is_hidden = node.get('column_invisible') in ('1', 'True') or node.get('invisible') in ('1', 'True')
            found.setdefault(name, {})
            if about.type in ('many2one', 'reference') and not is_hidden:
                found[name] = {'fields': {'display_name': {}}}
            elif about.type in ('one2many', 'many2many') and not is_hidden:
                if (lines := node.find('list')) is not None:
                    found[name] = {'fields': self._specification(self.env[about.comodel_name], lines), 'limit': 40}
                elif node.get('widget') == 'many2many_tags':
                    found[name] = {'fields': {'display_name': {}}}
        return found

    def _ask_list(self, model, arch, domain):
        specification = self._specification(model, arch)
        if group_by := arch.get('default_group_by'):
            sums = [f"{node.get('name')}:sum" for node in arch.iter('field') if node.get('sum')]
            return model.web_read_group(
                domain, [_grouped_by(model, group_by)], [*sums, '__count'], limit=PAGE['list'],
                auto_unfold=arch.get('expand') == '1', unfold_read_specification=specification)
        return self._page(model, specification, domain, 'list')

    def _ask_kanban(self, model, arch, domain):
        return self._page(model, self._specification(model, arch), domain, 'kanban')

    @staticmethod
    def _page(model, specification, domain, kind):
        return model.web_search_read(domain, specification, limit=PAGE[kind], count_limit=COUNTED)

    def _ask_pivot(self, model, arch, domain):
        nodes = {kind: [_grouped(node) for node in arch.iter('field') if node.get('type') == kind]
                 for kind in ('row', 'col')}
        measures = [_measure(model, node.get('name')) for node in arch.iter('field') if node.get('type') == 'measure']
        sets = [[], nodes['row'], nodes['col'], [*nodes['row'], *nodes['col']]]
        return model.formatted_read_grouping_sets(domain, sets, [*measures, '__count'])

    def _ask_graph(self, model, arch, domain):
        nodes = list(arch.iter('field'))
        measures = [_measure(model, node.get('name')) for node in nodes if node.get('type') == 'measure']
        groups = [_grouped(node) for node in nodes if node.get('type') != 'measure']
        return model.formatted_read_group(domain, groups, [*measures, '__count'])


def _own_fields(arch):
    """The fields of a view without those of the lists in it."""
    return [node for node in arch.iter('field') if next(node.iterancestors('field'), None) is None]


def _grouped(node) -> str:
    return ':'.join(filter(None, (node.get('name'), node.get('interval'))))


def _measure(model, name: str) -> str:
    return f'{name}:{model._fields[name].aggregator}'


def _grouped_by(model, name: str) -> str:
    return f'{name}:month' if model._fields[name].type in ('date', 'datetime') else name
