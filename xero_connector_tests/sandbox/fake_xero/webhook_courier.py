"""The thread that delivers webhooks by itself: for a demo, where nobody calls `deliver`."""
import threading

PAUSE = 0.3  # seconds: what is written together travels together


class Courier:
    """Sleeps until the bell rings, then delivers; while a receiver fails it looks at the fake's clock every `PAUSE`."""

    def __init__(self, webhooks):
        self._webhooks = webhooks
        self._bell, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-xero-webhooks", daemon=True)
        self._thread.start()

    def ring(self):
        """There is something to deliver."""
        self._bell.set()

    def end(self):
        """Deliver no more; a delivery under way is waited for."""
        self._ended.set()
        self._bell.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(self._webhooks.patience)

    def _run(self):
        while True:
            if not self._webhooks.has_work():
                self._bell.wait()
            if self._ended.wait(PAUSE):
                return
            self._bell.clear()
            if self._webhooks.is_due():
                self._webhooks.deliver()
