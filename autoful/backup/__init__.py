"""Backing a shop up into one file, and bringing a shop back from it.

`archive` is the file, `making` writes one, `restoring` brings one back; `sqlite` and `mysql` know
their databases, `clients` the programs that speak to MySQL and MariaDB, `unfinished` keeps a shop
closed whose restore has not ended, `signing_out` ends the sign-ins of another day, `proofs` are
what must be true of a shop that came back.
"""
