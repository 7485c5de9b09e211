def migrate(cr, version):
    """What was done before the dashboard counted has its day, as well as is known."""
    cr.execute(
        """
        UPDATE xero_record
           SET first_done_at = COALESCE(CASE WHEN direction = 'out' THEN sent_at END, done_at)
         WHERE state = 'done' AND first_done_at IS NULL
        """
    )
    cr.execute("UPDATE xero_record SET failed_at = done_at WHERE state = 'failed' AND failed_at IS NULL")
