"""Where raw tables come from: a file a kind of source, each giving Arrow tables chunk by chunk."""
