"""What is known about Azure's built-in roles, by role definition GUID, as data. It never judges a request.

Source: Azure's list of built-in roles; its section "Privileged" is `CONTROL` and the first lines of `BROAD`.
"""

from __future__ import annotations

# Who holds one of these decides who else gets in, so that in effect they can do everything there.
CONTROL = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": ("Owner", "can do everything there, and decides who else may"),
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": ("User Access Administrator", "gives anybody any access there"),
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": (
        "Role Based Access Control Administrator",
        "gives anybody access there by assigning roles",
    ),
}
BROAD = {
    "b24988ac-6180-42a0-ab88-20f7382dd24c": ("Contributor", "changes and deletes everything there"),
    "a8889054-8d42-49c9-bc1c-52486c10e7cd": ("Reservations Administrator", "all reservations, and who may use them"),
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": ("Key Vault Administrator", "all secrets, keys and certificates there"),
    "8b54135c-b56d-4d72-a534-26097cfdc8d8": (
        "Key Vault Data Access Administrator",
        "decides who reads secrets, keys and certificates there",
    ),
    "66f75aeb-eabe-4b70-9f1e-c350c4c9ad04": (
        "Virtual Machine Data Access Administrator",
        "decides who signs in to machines there",
    ),
}
ELEVATED = {
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "a4417e6f-fecd-4de8-b567-7b0420556985": "Key Vault Certificates Officer",
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603": "Key Vault Crypto Officer",
    "f25e0fa2-a7c8-4377-a976-54943a77a395": "Key Vault Contributor",
    "08bbd89e-9f13-488c-ac41-acfcb10c90ab": "Key Vault Crypto Service Release User",
    "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59": "Managed Identity Contributor",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c": "Virtual Machine Contributor",
    "1c0163c0-47e6-4577-8991-ea5c82e286e4": "Virtual Machine Administrator Login",
    "a6333a3e-0164-44c3-b281-7a577aff287f": "Windows Admin Center Administrator Login",
    "87a39d53-fc1b-424a-814c-f7e04687dc9e": "Logic App Contributor",
    "eeaeda52-9324-47f6-8069-5d5bade478b2": "Domain Services Contributor",
    "959f8984-c045-4866-89c7-12bf9737be2e": "Data Operator for Managed Disks",
}
READING = {
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
}


def role_id(name: str) -> str | None:
    """The GUID of a built-in role by its English name, in any letter case; None when we do not know it."""
    return _BY_NAME.get(name.casefold())


def name_of(id_: str) -> str:
    """The English name of a built-in role by its GUID, lower case; empty when we do not know it."""
    return _NAMES.get(id_, "")


_NAMES = {
    **{id_: name for table in (CONTROL, BROAD) for id_, (name, _) in table.items()},
    **ELEVATED,
    **READING,
}
_BY_NAME = {name.casefold(): id_ for id_, name in _NAMES.items()}
