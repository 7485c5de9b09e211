"""For pytest: narrows Odoo's `test_lint` down to the addons of this repository."""

from pathlib import Path

from .paths import ROOT


def pytest_sessionstart(session):
    from odoo.modules import module

    everything = module.Manifest.all_addon_manifests

    def ours():
        return [manifest for manifest in everything() if Path(manifest.path).resolve().parent == ROOT]

    module.Manifest.all_addon_manifests = staticmethod(ours)
