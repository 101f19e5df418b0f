"""Pages, pictures and tables, made from records and never from memory."""
