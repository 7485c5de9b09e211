from collections import defaultdict

from ..lib.contact import same_name
from ..lib.likeness import Candidates


class ContactBook:
    """The contacts in use of a connection's organisation, as its log has them: whom a customer may be.

    :param connection: an ``xero.connection``
    """

    def __init__(self, connection):
        env = connection.env
        env["xero.record"].flush_model()
        env["xero.binding"].flush_model()
        env.cr.execute(
            """
            SELECT r.external_id, r.number, lower(r.payload ->> 'EmailAddress'), r.payload ->> 'TaxNumber', p.id
              FROM xero_record r
         LEFT JOIN xero_binding b ON b.connection_id = r.connection_id AND b.resource = 'contact'
                                 AND b.external_id = r.external_id AND b.res_model = 'res.partner'
         LEFT JOIN res_partner p ON p.id = b.res_id
             WHERE r.connection_id = %s AND r.direction = 'in' AND r.resource = 'contact' AND r.state = 'done'
          ORDER BY r.id
            """,
            (connection.id,),
        )
        self.names, self.emails, self._by_name, candidates = {}, {}, defaultdict(list), []
        self.owners = {}
        for contact_id, name, email, tax_number, partner_id in env.cr.fetchall():
            self.names[contact_id] = name
            self.emails[contact_id] = email or ""
            self._by_name[same_name(name)].append(contact_id)
            if partner_id:
                self.owners[contact_id] = env["res.partner"].browse(partner_id)
            else:
                candidates.append((contact_id, (email, tax_number), name))
        self._candidates = Candidates(candidates)

    def free(self, name):
        """The contacts of this name that are nobody yet: ids."""
        return [one for one in self._by_name.get(same_name(name), ()) if one not in self.owners]

    def taken(self, name):
        """The id of the contact of this name that is somebody, None where none is."""
        return next((one for one in self._by_name.get(same_name(name), ()) if one in self.owners), None)

    def likeliest(self, partner):
        """The free contact most like this partner, by tax number, e-mail or name.

        :return: ``(id, score)``; ``(None, 0)`` where none is
        """
        guesses = [self._candidates.best(code, partner.name) for code in (partner.vat, partner.email)]
        return max(guesses, key=lambda guess: guess[1])
