"""The outside world of mail: messages, senders and the queue of what is due."""
