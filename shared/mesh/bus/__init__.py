"""The bus: sockets between the processes of the mesh, and the three ways messages travel over them.

`stream` (market data: may be lost, never unnoticed), `numbered` (journaled events: each once and in order) and
`requests` (asked, answered once). `hub` holds the sockets, `keys` and `gatekeeper` say who may connect.
"""
