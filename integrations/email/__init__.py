"""Email over SMTP. Provider words stay in this folder."""
