def uninstall_hook(env):
    """Jobs without their method would be tried for ever, and keep the places of other addons' jobs. What they were to
    do stands in the sync log: the scheduled actions do it."""
    env["queue.job"].search([("model_name", "=", "xero.connection"), ("method_name", "=", "_work_off")]).unlink()
    for queue in ("process", "files", "push", "items"):
        env.ref(f"xero_connector.ir_cron_{queue}")._trigger()
