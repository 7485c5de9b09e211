# Imports nothing on purpose: `run` works in the sandbox's process, `inside` and what it imports in Odoo's.
