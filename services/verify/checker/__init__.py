"""The independent checker: reads what risk, executor and exchange wrote down, and says which promise was not kept.

It imports nothing of ours, not even the messages: what it knows of their form it has from docs/messages.md,
docs/journal.md, docs/order-life.md and docs/simulated-exchange.md. So a mistake in the code it judges is not its own.
"""
