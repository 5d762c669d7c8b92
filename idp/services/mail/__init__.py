"""The outbox: queued with what causes it, addressed and sent by the worker."""
