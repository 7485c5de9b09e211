-- A copied database must neither import nor refresh: it would ship twice and end the original's consent.
UPDATE xero_grant SET access_token = NULL, refresh_token = NULL;
UPDATE xero_app SET stored_client_secret = NULL, stored_webhook_key = NULL;
UPDATE xero_connection SET state = 'paused' WHERE state != 'draft';
