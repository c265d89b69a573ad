"""The bus: sockets between the processes of the mesh, and the four ways messages travel over them.

`stream` (market data: may be lost, never unnoticed), `numbered` (journaled events: each once and in order), `requests`
(asked, answered once) and `latest` (only the newest counts). `hub` holds the sockets, `keys` and `gatekeeper` say who
may connect, `rights` who may say what.
"""
