"""Which lines of two versions of an invoice are one and the same line."""

from collections import defaultdict, deque


def pair_lines(old_lines, new_lines):
    """Pair the lines of an older with those of a newer version.

    Xero keeps a line's id through edits, unless whoever writes the invoice leaves the ids out: then all lines get new
    ones (xero-api.md, section 4.2). So lines are one by id, else by item code (by text where there is none) in their
    order.

    :return: list of ``(old, new)``; ``old`` None for an added line, ``new`` None for a removed one; new order first
    """
    old_by_id = {line.id: line for line in old_lines if line.id}
    partner = {id(line): old_by_id.pop(line.id) for line in new_lines if line.id in old_by_id}
    taken = {id(line) for line in partner.values()}
    rest = defaultdict(deque)
    for line in old_lines:
        if id(line) not in taken:
            rest[_likeness(line)].append(line)
    pairs = []
    for line in new_lines:
        old = partner.get(id(line))
        if not old and rest[_likeness(line)]:
            old = rest[_likeness(line)].popleft()
        pairs.append((old, line))
    return pairs + [(line, None) for lines in rest.values() for line in lines]


def _likeness(line):
    return line.item_code.casefold() or line.description
