"""What the benchmarks find: figures with limits and parts, as lines of text and as JSON. Standard library only."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

# the experiment that measures a figure: a module of this package, in a process and on databases of its own
EXPERIMENTS = {
    'speed': ('T1', 'T2', 'T3', 'T3b_draft', 'T3b_confirmed'),
    'calls': ('T4',),
    'growth': ('T5',),
    'memory': ('T6',),
    'webhook': ('T7',),
    'rules': ('T8_route_share',),
    'tick': ('T8_tick_sql',),
    'items': ('P1_cost', 'P1_memory', 'P1_calls'),
    'nodes': ('N_two_processes',),
    'size': (
        'S_pages', 'S_summaries', 'S_screen_sql', 'S_tick_sql', 'S_digest', 'S_billing', 'S_comparison', 'S_forgetting',
    ),
    'export': ('E1_calls_new', 'E1_calls_existing', 'E2_cost'),
}
NAMES = [name for names in EXPERIMENTS.values() for name in names]


@dataclass
class Part:
    """What a figure is made of, or what helps to understand it."""

    name: str
    value: float
    unit: str


@dataclass
class Figure:
    """One figure: it is met when `value` is not above `limit`; `unit` is that of both."""

    name: str
    value: float
    limit: float
    unit: str
    parts: list[Part] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        return self.value <= self.limit

    def add(self, name: str, value: float, unit: str) -> None:
        self.parts.append(Part(name, value, unit))

    def lines(self) -> list[str]:
        """`name value`, then an indented `name value unit` for the limit and each part."""
        parts = [Part('limit', self.limit, self.unit), *self.parts]
        return [
            f'{self.name} {_short(self.value)}',
            f"    met {'yes' if self.is_met else 'no'}",
            *(f'    {part.name} {_short(part.value)} {part.unit}' for part in parts),
        ]


def _short(value: float) -> str:
    return f'{value:.4g}' if abs(value) < 1000 else f'{value:.0f}'


def write(figures: list[Figure], path: Path, **settings) -> None:
    """Settings and figures as JSON: `{..., "figures": [{name, value, limit, unit, met, parts: [...]}]}`."""
    found = [{**asdict(figure), 'met': figure.is_met} for figure in figures]
    path.write_text(json.dumps({**settings, 'figures': found}, indent=2) + '\n', encoding='utf-8')


def read(path: Path) -> list[Figure]:
    """The figures of a file that `write` made."""
    return [
        Figure(found['name'], found['value'], found['limit'], found['unit'], [Part(**part) for part in found['parts']])
        for found in json.loads(path.read_text(encoding='utf-8'))['figures']
    ]
