"""In which order to ask for pages, so that nothing is lost while people go on working in Xero."""

from datetime import timedelta

_STEP_BACK = timedelta(seconds=1)


class PageWalk:
    """The next page to ask for, and how far everything is safely read.

    Xero orders by ``UpdatedDateUTC``. Whoever simply turns pages loses an invoice whenever another one on a page
    already read is edited: it moves to the end and all behind it move up by one. So the walk does not turn pages: after
    each one it asks anew for page 1 of what changed since the newest entry seen (a second less, as the bound may be
    exclusive). Only when a whole page shares one second there is no newer bound; then the remaining pages are read from
    the last to the second, where moving up can only repeat an entry, and :attr:`mark` waits for the end.

    :param datetime since: naive UTC; None reads from the beginning. It stays in :attr:`began`
    """

    def __init__(self, since=None):
        self.began = since
        self.since = since
        self.page = 1
        self.mark = None
        self._newest = None

    def advance(self, newest, page_count):
        """Take note of the page just read.

        :param datetime newest: the newest ``UpdatedDateUTC`` on it, None when it was empty
        :param int page_count: Xero's ``pagination.pageCount`` for this query
        :return: whether there is another page to read
        """
        if newest:
            self._newest = max(newest, self._newest or newest)
        if self.page > 1:
            self.page -= 1
            more = self.page > 1
        elif page_count <= 1 or not newest:
            more = False
        else:
            bound = newest.replace(microsecond=0) - _STEP_BACK
            if self.since is None or bound > self.since:
                self.since = bound
            else:
                self.page = page_count
            more = True
        if self.page == 1:
            self.mark = self._newest
        return more
