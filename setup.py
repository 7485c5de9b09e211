"""`pip install .` puts the addons into `odoo/addons/` of an environment, where a clean Odoo 19 finds them.

`odoo` and `odoo.addons` are namespace packages there: neither may get an `__init__.py` from here. The second addon
shows itself to Odoo where OCA's job queue is installed: `pip install .[queue_job]`.
"""

import ast
from pathlib import Path

from setuptools import setup
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
ADDONS = ('xero_connector', 'xero_connector_queue_job')
LEFT_OUT = {'__pycache__', '.pytest_cache'}


def folders(addon):
    """Every folder of the addon that holds files."""
    found = {path.parent for path in (ROOT / addon).rglob('*') if path.is_file() and not LEFT_OUT & set(path.parts)}
    return sorted({ROOT / addon, *found})


def package_name(folder):
    return '.'.join(['odoo', 'addons', *folder.relative_to(ROOT).parts])


def packages():
    """The folders with code, by the name they are imported under."""
    return {
        package_name(folder): str(folder.relative_to(ROOT))
        for addon in ADDONS for folder in folders(addon) if (folder / '__init__.py').exists()
    }


def data(addon):
    """All other files: views, data, translations, static files, migration scripts …"""
    return [
        str(path.relative_to(ROOT / addon))
        for folder in folders(addon) for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix not in ('.pyc', '.pyo')
        and not (path.suffix == '.py' and (folder / '__init__.py').exists())
    ]


class SourceDistribution(sdist):
    """Also holds what this file reads, beside what it packs."""

    def make_distribution(self):
        self.filelist.append('requirements.txt')
        super().make_distribution()


def requirements():
    lines = (ROOT / 'requirements.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


manifest = ast.literal_eval((ROOT / ADDONS[0] / '__manifest__.py').read_text(encoding='utf-8'))
readme = ROOT / 'README.rst'

setup(
    cmdclass={'sdist': SourceDistribution},
    name='odoo-addon-xero-connector',
    version=manifest['version'],
    description=manifest['summary'],
    long_description=readme.read_text(encoding='utf-8') if readme.exists() else manifest['summary'],
    long_description_content_type='text/x-rst',
    author=manifest['author'],
    license='LGPL-3.0-only',
    license_files=['LICENSE'],
    classifiers=[
        'Framework :: Odoo',
        'Framework :: Odoo :: 19.0',
        'Programming Language :: Python :: 3',
    ],
    python_requires='>=3.10',
    install_requires=requirements(),
    extras_require={'queue_job': ['odoo-addon-queue-job>=19.0']},
    packages=list(packages()),
    package_dir=packages(),
    package_data={f'odoo.addons.{addon}': data(addon) for addon in ADDONS},
    include_package_data=False,
    zip_safe=False,
)
