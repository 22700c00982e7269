"""The cast: the same people in every test, as Entra and as Slack know them. Values only."""

from __future__ import annotations

from app.domain.request import Person

TENANT = "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00"
TEAM = "T0ACME0001"
CHANNEL = "C0APPROVERS"

# Approvers.
ann = Person("a1a1a1a1-0000-4000-8000-00000000000a", "Ann Archer", "ann@acme.example", "ann@acme.example")
ben = Person("b2b2b2b2-0000-4000-8000-00000000000b", "Ben Bauer", "ben@acme.example", "ben@acme.example")
cleo = Person("c3c3c3c3-0000-4000-8000-00000000000c", "Cleo Chen", "cleo@acme.example", "cleo@acme.example")

# Requestors. Rob's second account has no mailbox.
rob = Person("d4d4d4d4-0000-4000-8000-00000000000d", "Rob Reyes", "rob@acme.example", "rob@acme.example")
adm_rob = Person("d5d5d5d5-0000-4000-8000-00000000000d", "Rob Reyes (admin)", "adm-rob@acme.example")
rita = Person("e6e6e6e6-0000-4000-8000-00000000000e", "Rita Roth", "rita@acme.example", "rita@acme.example")

# Olga knows nobody here; Gus is a guest in Slack and in Entra.
olga = Person("f7f7f7f7-0000-4000-8000-00000000000f", "Olga Orlova", "olga@other.example", "olga@other.example")
gus = Person("99999999-0000-4000-8000-000000000009", "Gus Guest", "gus_else#EXT#@acme.example", "gus@else.example")

EVERYBODY = (ann, ben, cleo, rob, adm_rob, rita, olga, gus)

# Cleo has no Slack account, and an admin account never has one.
SLACK = {
    ann.id: "U0ANN00001",
    ben.id: "U0BEN00001",
    rob.id: "U0ROB00001",
    rita.id: "U0RITA0001",
    olga.id: "U0OLGA0001",
    gus.id: "U0GUS00001",
}


def slack_of(person: Person) -> str:
    """The Slack user id of a person; KeyError for those who have none."""
    return SLACK[person.id]
