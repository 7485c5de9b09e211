"""Webhooks of the app: its subscription, the events that wait, and their way to the receiver (`xero-api.md` 6)."""
import random
import threading
from dataclasses import dataclass, field

from .webhook_courier import Courier
from .webhook_wire import PATIENCE, check_url, intent_to_receive, payload, send

CATEGORIES = {"Invoices": "INVOICE", "CreditNotes": "CREDITNOTE", "Contacts": "CONTACT"}  # none for items, payments
RETRY_AFTER = 15 * 60  # seconds of the fake's clock, all of these
GIVE_UP_AFTER = 24 * 3600
KEPT = 31 * 86_400


@dataclass
class Subscription:
    """Where events go. `status` is `ok`, `failed` (the handshake) or `disabled` (a day without success).

    `reason` says in words why it is not `ok`.
    """

    url: str
    key: str = field(repr=False)
    status: str = "ok"
    reason: str = ""


@dataclass
class Waiting:
    """An event that no receiver has taken yet: its number in the app's sequence, and when it was queued (seconds)."""

    sequence: int
    since: float
    event: dict


@dataclass
class Outcome:
    """What became of a delivery: `status` is `ok` or `failed`, with the `reason` and all `Delivery`s made."""

    status: str
    reason: str = ""
    deliveries: list = field(default_factory=list)

    def as_dict(self):
        """JSON-ready; payloads as text."""
        return {"status": self.status, "reason": self.reason, "deliveries": [
            {"status": delivery.status, "reason": delivery.reason, "body": delivery.body.decode()}
            for delivery in self.deliveries]}


def _shuffled(things):
    """The same things in another order, if there is one."""
    mixed = list(things)
    while len(things) > 1 and mixed == things:
        random.shuffle(mixed)
    return mixed


class Webhooks:
    """What Xero tells the app by itself. Nothing is kept before a subscription's handshake has succeeded once.

    Settings that may change at any time: `payments_fire_events` (whether a payment of a document, or its deletion, is
    an event of the document: Xero does not say), `patience` (seconds a receiver may take), `automatic` (a thread
    delivers within about half a second; after a failure at once again, then every 15 minutes of the fake's clock).
    """

    def __init__(self, clock, identity, api_url):
        self._clock, self._identity, self._api_url = clock, identity, api_url
        self.payments_fire_events, self.patience = False, PATIENCE
        self._lock = threading.Lock()  # the queue's; held for an instant, never during a call
        self._calling = threading.RLock()  # one delivery or handshake at a time
        self._courier = None
        self._sequence = 0
        self._forget()

    def _forget(self):
        self._subscription, self._keeps_events, self._queue, self._last = None, False, [], []
        self._healthy()

    def _healthy(self):
        self._failures, self._failing_since, self._next_attempt = 0, None, 0

    # --- subscription --------------------------------------------------------------------------------------------
    def subscribe(self, url, key):
        """Set the receiver, as in Xero's developer portal: a first time, anew, or to enable a disabled one again.

        Returns the `Subscription`; it `failed` when the handshake did. What waits is kept. ValueError for a URL that
        leads away from this machine, or an empty key.
        """
        check_url(url)
        if not key:
            raise ValueError("a subscription needs a signing key")
        with self._calling:
            reason = intent_to_receive(url, key, self.patience)
            self._subscription = Subscription(url, key, "failed" if reason else "ok", reason)
            if not reason:
                self._keeps_events = True
                self._healthy()
        self._ring()
        return self._subscription

    def unsubscribe(self):
        """No receiver and no events any more."""
        with self._calling, self._lock:
            self._forget()

    @property
    def subscription(self):
        """The `Subscription` as it stands by the fake's clock, or None."""
        found, since = self._subscription, self._failing_since
        if found and found.status == "ok" and since is not None and self._clock.timestamp() - since >= GIVE_UP_AFTER:
            found.status, found.reason = "disabled", "no delivery succeeded for 24 hours"
        return found

    # --- events --------------------------------------------------------------------------------------------------
    def notice(self, organisation, record, event_type, by_payment=False):
        """A record of an organisation was created or updated: queue the event if the app is to be told."""
        if not self._keeps_events or (by_payment and not self.payments_fire_events):
            return
        if organisation.tenant_id not in self._identity.connections:
            return
        event = {
            "resourceUrl": f"{self._api_url}/{record.resource}/{record.id}", "resourceId": record.id,
            "eventDateUtc": record.updated.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3], "eventType": event_type,
            "eventCategory": CATEGORIES[record.resource], "tenantId": organisation.tenant_id,
            "tenantType": "ORGANISATION"}
        if record.resource == "CreditNotes":
            event["data"] = {"Type": record.data.get("Type"), "Status": record.data.get("Status")}
        with self._lock:
            self._sequence += 1
            self._queue.append(Waiting(self._sequence, self._clock.timestamp(), event))
        self._ring()

    @property
    def waiting(self):
        """The events no receiver has taken yet, oldest first."""
        return [entry.event for entry in self._waiting()]

    def _waiting(self):
        """The queue without what is too old."""
        oldest = self._clock.timestamp() - KEPT
        with self._lock:
            self._queue = [entry for entry in self._queue if entry.since >= oldest]
            return list(self._queue)

    # --- delivery ------------------------------------------------------------------------------------------------
    def deliver(self, size=None, shuffle_events=False, shuffle_deliveries=False):
        """Send what waits, now; returns the `Outcome`.

        :param int size: at most so many events in one payload; all in one unless told.
        :param bool shuffle_events: each payload has its events in another order than they happened.
        :param bool shuffle_deliveries: the payloads go out in another order than they happened.

        The first payload that is not taken ends the delivery; it and the rest wait for the next one.
        """
        with self._calling:
            refusal = self._refusal()
            if refusal:
                return Outcome("failed", refusal)
            batches, deliveries = self._batches(size), []
            if batches:
                self._last = deliveries
            for batch in _shuffled(batches) if shuffle_deliveries else batches:
                entries = _shuffled(batch) if shuffle_events else batch
                body = payload([entry.event for entry in entries], batch[0].sequence, batch[-1].sequence)
                delivery = self._send(body)
                deliveries.append(delivery)
                if delivery.reason:
                    self._failed()
                    return Outcome("failed", delivery.reason, deliveries)
                self._taken(batch)
            return Outcome("ok", deliveries=deliveries)

    def replay(self, shuffle=False):
        """Send the payloads of the last delivery once more, byte for byte; what waits goes on waiting."""
        with self._calling:
            refusal = self._refusal()
            if refusal:
                return Outcome("failed", refusal)
            again = _shuffled(self._last) if shuffle else self._last
            deliveries = [self._send(delivery.body) for delivery in again]
            reason = next((delivery.reason for delivery in deliveries if delivery.reason), "")
            return Outcome("failed" if reason else "ok", reason, deliveries)

    def _refusal(self):
        """Why nothing can be sent, or ""."""
        found = self.subscription
        if not found:
            return "nobody is subscribed"
        return "" if found.status == "ok" else f"the subscription is {found.status}: {found.reason}"

    def _batches(self, size):
        if size is not None and size < 1:
            raise ValueError("a payload has at least one event")
        entries = self._waiting()
        size = size or len(entries) or 1
        return [entries[start:start + size] for start in range(0, len(entries), size)]

    def _send(self, body):
        return send(self._subscription.url, self._subscription.key, body, self.patience)

    def _taken(self, batch):
        done = {entry.sequence for entry in batch}
        with self._lock:
            self._queue = [entry for entry in self._queue if entry.sequence not in done]
        self._healthy()

    def _failed(self):
        now = self._clock.timestamp()
        self._failures += 1
        if self._failing_since is None:
            self._failing_since = now
        self._next_attempt = now if self._failures == 1 else now + RETRY_AFTER

    # --- by itself -----------------------------------------------------------------------------------------------
    @property
    def automatic(self):
        """Whether a thread delivers."""
        return self._courier is not None

    @automatic.setter
    def automatic(self, wanted):
        if wanted and not self._courier:
            self._courier = Courier(self)
        elif not wanted and self._courier:
            courier, self._courier = self._courier, None
            courier.end()

    def _ring(self):
        courier = self._courier
        if courier:
            courier.ring()

    def has_work(self):
        """Whether something waits for a receiver that may get it."""
        return bool(not self._refusal() and self._waiting())

    def is_due(self):
        """Whether something waits, and the time for it has come."""
        return self.has_work() and self._clock.timestamp() >= self._next_attempt

    def as_dict(self):
        """How things stand, JSON-ready; without the key."""
        subscription = self.subscription
        return {"url": subscription.url if subscription else None,
                "status": subscription.status if subscription else "none",
                "reason": subscription.reason if subscription else "", "waiting": self.waiting,
                "automatic": self.automatic, "payments_fire_events": self.payments_fire_events}
