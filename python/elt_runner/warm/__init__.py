"""Warm starts: an interpreter that has a tool imported, and forks a process for each step that wants one.

`server` waits for requests and forks; `preload` imports, and notes what the imports looked at; `renew` makes a forked
interpreter what a fresh one would be; `process_text` is what the system shows of a process. The service's side is
`src/engine/local/warm`; the reasons are in `docs/adr/0010-warm-starts.md`. Linux only.
"""
