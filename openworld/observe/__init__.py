"""What a player perceives: tokens first, and everything that is decoded from tokens."""
