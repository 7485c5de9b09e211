"""For pytest: narrows Odoo's `test_lint` down to the addons of this repository."""

from pathlib import Path
from unittest import mock

import pytest

from .paths import ROOT


def pytest_sessionstart(session):
    from odoo.modules import module  # pytest-odoo must have read the configuration

    everything = module.Manifest.all_addon_manifests

    def ours():
        return [manifest for manifest in everything() if Path(manifest.path).resolve().parent == ROOT]

    module.Manifest.all_addon_manifests = staticmethod(ours)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """One check walks the addons path, to which all of the repository belongs, the sandbox included."""
    if item.name != 'test_conflict_markers':
        return (yield)
    from odoo.modules import module

    import odoo.addons

    folders = [manifest.path for manifest in module.Manifest.all_addon_manifests()]
    with mock.patch.object(odoo.addons, '__path__', folders), mock.patch.object(odoo, '__path__', []):
        return (yield)
