"""In and out of spreadsheets: what a list shows as a file, and a file's rows into the shop.

A file is read, looked at and imported in pieces, whatever its length. What a row means is its app's
to say (`customers/sheets.py`), what may happen is the verbs', as everywhere.
"""
