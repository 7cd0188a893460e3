"""Readers of file headers, one a format: sizes and counts without a pixel decoded.

Each reader is a pure function from the whole file to a `Header`, raises Refused(truncated | corrupt |
unsupported_format), and does a bounded amount of work whatever the bytes say.
"""
