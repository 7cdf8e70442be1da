"""The stage of the bank: the people who talk to the persona."""
