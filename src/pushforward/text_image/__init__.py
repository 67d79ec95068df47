"""Pictures and captions: representations that both share, and what is drawn from one to the other."""
