"""Outputs of events: a file, a webhook, MQTT, a command, clips and snapshots."""
