"""The command line: `python3 -m xero_connector_tests VERB`, from the repository's root.

Standard library only, and so is all it imports before the virtual environment is there: then the same process goes
on inside that environment.
"""

import argparse
import os
import signal
import sys

if sys.version_info < (3, 10):  # noqa: UP036 (whoever gets here has an older one)
    sys.exit("Python 3.10 or newer is needed, this is %d.%d." % sys.version_info[:2])  # noqa: UP031

from xero_connector_tests.benchmarks.figures import NAMES
from xero_connector_tests.sandbox import building, processes, venv
from xero_connector_tests.sandbox.console import SandboxError, say
from xero_connector_tests.sandbox.picture_list import PICTURES


def _port(text: str) -> int:
    if text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: choose a number from 1 to 65535")


def _positive(text: str) -> int:
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number above zero")


def _names(thing: str, known):
    """The type of an argument that lists some of these, with commas between them."""

    def parse(text: str) -> list[str]:
        names = text.split(',')
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(
                f"no {thing} is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return names

    return parse


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument('--odoo', metavar='PATH', help="an existing Odoo 19 (checkout or installation) to use")
    common.add_argument('--db-url', metavar='URL', help="an existing PostgreSQL 13 or newer to use")
    parser = argparse.ArgumentParser(
        prog='python3 -m xero_connector_tests', parents=[common], description="The sandbox of the Xero connector.")
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')

    demo = verbs.add_parser('demo', parents=[common], help="Odoo with orders imported from a fake Xero")
    demo.add_argument('--once', action='store_true', help="leave after the import; the exit status tells")
    demo.add_argument('--port', type=_port, default=8069, metavar='N', help="Odoo's port (8069)")
    demo.add_argument(
        '--nodes', type=_positive, default=0, metavar='N',
        help="instead of the whole story: N Odoo processes share the import, and one of them is killed")

    test = verbs.add_parser(
        'test', parents=[common], help="the whole test suite and the lint checks; with ARGS, pytest with them",
        allow_abbrev=False)  # pytest has a --co, too
    test.add_argument('--coverage', action='store_true', help="tell which lines of the addons no test comes to")

    bench = verbs.add_parser('bench', parents=[common], help="how fast it is: figures, each with its limit")
    bench.add_argument('--invoices', type=_positive, default=300, metavar='N', help="invoices of one round (300)")
    bench.add_argument(
        '--memory-invoices', type=_positive, default=10_000, metavar='N', help="invoices of the memory figure (10,000)")
    bench.add_argument(
        '--items', type=_positive, default=10_000, metavar='N', help="items of the large catalogue (10,000)")
    bench.add_argument('--only', type=_names("figure", NAMES), default=[], metavar='T1,T5', help="these figures alone")
    bench.add_argument('--json', metavar='FILE', help="write all figures there, too")
    bench.add_argument(
        '--profile', action='store_true', help="instead of the figures, where the time and the SQL of an import go")

    shell = verbs.add_parser('shell', parents=[common], help="Odoo's shell, or a script in it")
    shell.add_argument('--database', metavar='NAME', default='', help="instead of the demo database")
    shell.add_argument('file', nargs='?', metavar='FILE', help="a script to run; `env` is there")

    xero = verbs.add_parser('xero', parents=[common], help="the fake Xero alone")
    xero.add_argument('--port', type=_port, default=0, metavar='N', help="its port (any free one)")
    xero.add_argument('--data', metavar='FILE.json', help="resources to serve verbatim, instead of the demo's")

    verbs.add_parser('words', parents=[common], help="remake the template of the addon's terms, list the untranslated")

    pictures = verbs.add_parser('pictures', parents=[common], help="make the documentation's pictures from the demo")
    pictures.add_argument('--port', type=_port, default=8069, metavar='N', help="Odoo's port (8069)")
    pictures.add_argument('--only', type=_names("picture", PICTURES), default=[], metavar='NAME,…', help="these alone")

    verbs.add_parser('clean', parents=[common], help="end what runs and remove .sandbox/")
    return parser


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.verb != 'test':
        parser.error(f"unknown: {' '.join(rest)}")
    options.pytest_arguments = rest
    options.odoo = getattr(options, 'odoo', '')
    options.db_url = getattr(options, 'db_url', '')
    return options


def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    if options.verb == 'clean':
        from xero_connector_tests.sandbox import cleaning

        return cleaning.run(options)
    if getattr(options, 'port', 0):
        # before minutes of building, not after
        processes.require_port(options.port)
    with building.build_lock():
        venv.ensure()
    venv.enter(arguments)
    from xero_connector_tests.sandbox import verbs

    return getattr(verbs, options.verb)(options)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    arguments = sys.argv[1:]
    try:
        return _run(_parse(arguments), arguments)
    except SandboxError as error:
        say(f"\n✗ {error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted; everything started has been ended.")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == '__main__':
    sys.exit(main())
