"""Pictures, text and video for people, made on the host from tokens alone."""
