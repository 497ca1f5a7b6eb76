"""What can be had at best: the same answers by hand, without a framework.

A WSGI application for the same server. It checks the same tokens, runs SQL written by hand on a
connection that stays open, and answers the same bytes; it does nothing else that a shop needs, and
is never for one.
"""
