"""The outbox: how mails are kept, claimed, sent and recorded."""
