"""Pictures and their captions: what each says of the other."""
