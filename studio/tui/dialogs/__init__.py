"""Modal screens: small questions, choosing one of a list, a page to read, a reply to edit."""
