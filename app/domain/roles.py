"""What is known about Entra's built-in roles, by template id, as data. It never judges a request: risk.py does.

Source: Microsoft's permissions reference. `ELEVATED` are roles without its label "privileged" whose reach deserves an
approver's second look.
"""

from __future__ import annotations

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
SHAREPOINT_ADMINISTRATOR = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c"

CRITICAL = {
    GLOBAL_ADMINISTRATOR: (
        "Global Administrator",
        "full control over all Microsoft 365 services; demands the strongest justification",
    ),
    PRIVILEGED_ROLE_ADMINISTRATOR: (
        "Privileged Role Administrator",
        "can manage PIM itself and assign any role to anyone",
    ),
}
# Below the two of Exchange and SharePoint: roles with a known way to become Global Administrator.
HIGH = {
    EXCHANGE_ADMINISTRATOR: ("Exchange Administrator", "all mailboxes and mail; exfiltration risk"),
    SHAREPOINT_ADMINISTRATOR: (
        "SharePoint Administrator",
        "all SharePoint and OneDrive content; exposure risk",
    ),
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": (
        "Privileged Authentication Administrator",
        "resets the password and sign-in methods of anybody, Global Administrators included",
    ),
    "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8": (
        "Partner Tier2 Support",
        "resets the password of anybody, Global Administrators included",
    ),
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": (
        "Application Administrator",
        "adds credentials to any application, and can then act as it",
    ),
    "158c047a-c907-4556-b7ef-446551a6b5f7": (
        "Cloud Application Administrator",
        "adds credentials to any application, and can then act as it",
    ),
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2": (
        "Hybrid Identity Administrator",
        "controls federation and synchronisation, and so who can sign in as whom",
    ),
    "8329153b-31d0-4727-b945-745eb3bc5f31": (
        "Domain Name Administrator",
        "federates domains, and so decides who can sign in as whom",
    ),
}

PRIVILEGED = {
    "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
    "cf1c38e5-3621-4004-a7cb-879624dced7c": "Application Developer",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    "3a2c62db-5318-420d-8d74-23affee5d9d5": "Intune Administrator",
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9": "Conditional Access Administrator",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
    "25a516ed-2fa0-40ea-a2d0-12923a21473a": "Authentication Extensibility Administrator",
    "729827e3-9c14-49f7-bb1b-9608f156bbb8": "Helpdesk Administrator",
    "966707d0-3269-4727-9be2-8c3a10f19b9d": "Password Administrator",
    "be2f45a1-457d-42af-a067-6ec1fa63bc45": "External Identity Provider Administrator",
    "9360feb5-f418-4baa-8175-e2a00bac4301": "Directory Writers",
    "7698a772-787b-4ac8-901f-60d6b08affd2": "Cloud Device Administrator",
    "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f": "Security Operator",
    "5d6b6bb7-de71-4623-b4af-96380a352509": "Security Reader",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
    "59d46f88-662b-457b-bceb-5c3809e5908f": "Lifecycle Workflows Administrator",
    "aaf43236-0c0d-4d5f-883a-6955382ac081": "B2C IEF Keyset Administrator",
    "ecb2c6bf-0ab6-418e-bd87-7986f8d63bbe": "Attribute Provisioning Administrator",
    "422218e4-db15-4ef9-bbe0-8afb41546d79": "Attribute Provisioning Reader",
    "db506228-d27e-4b7d-95e5-295956d6615f": "Agent ID Administrator",
    "4ba39ca4-527c-499a-b93d-d9b492c50246": "Partner Tier1 Support",
}
ELEVATED = {
    "69091246-20e8-4a56-aa4d-066075b2a7a8": "Teams Administrator",
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "Groups Administrator",
    "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e": "Identity Governance Administrator",
    "0526716b-113d-4c15-b2c8-68e3c22b9f80": "Authentication Policy Administrator",
    "17315797-102d-40b4-93e0-432062caca18": "Compliance Administrator",
    "e6d1a23a-da11-4be4-9570-befc86d067a7": "Compliance Data Administrator",
    "b0f54661-2d74-4c50-afa3-1ec803f12efe": "Billing Administrator",
    "11648597-926c-4cf3-9c36-bcebb0ba8dcc": "Power Platform Administrator",
    "a9ea8996-122f-4c74-9520-8edcd192826c": "Fabric Administrator",
    "44367163-eba1-44c3-98af-f5787879f96a": "Dynamics 365 Administrator",
    "e3973bdf-4987-49ae-837a-ba8e231c7286": "Azure DevOps Administrator",
    "11451d60-acb2-45eb-a7d6-43d0f0125c13": "Windows 365 Administrator",
    "58a13ea3-c632-46ae-9ee0-9c0d43cd7f3d": "Attribute Assignment Administrator",
    "8424c6f0-a189-499e-bbd0-26c1753c96d4": "Attribute Definition Administrator",
    "ac434307-12b9-4fa1-a708-88bf58caabc1": "Global Secure Access Administrator",
    "892c5842-a9a6-463a-8041-72aa08ca3cf6": "Cloud App Security Administrator",
    "d29b2b05-8046-44ba-8758-1e26182fcf32": "Directory Synchronization Accounts",
    "3edaf663-341e-4475-9f94-5c398ef6c070": "B2C IEF Policy Administrator",
    "6e591065-9bad-43ed-90f3-e9424366d2f0": "External ID User Flow Administrator",
    "4d6ac14f-3453-41d0-bef9-a3e0c569773a": "License Administrator",
    "af78dc32-cf4d-46f9-ba4e-4428526346b5": "Permissions Management Administrator",
    "d2562ede-74db-457e-a7b6-544e236ebb61": "AI Administrator",
    "9f06204d-73c1-4d4c-880a-6edb90606fd8": "Entra Joined Device Local Administrator",
    "95e79109-95c0-4d8e-aee3-d01accf2d47b": "Guest Inviter",
}
LOW = {
    "4a5d8f65-41da-4de4-8968-e035b65339cf": "Reports Reader",
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b": "Directory Readers",
    "f023fd81-a637-4b56-95fd-791ac0226033": "Service Support Administrator",
}


def template_id(name: str) -> str | None:
    """The template id of a built-in role by its English name, in any letter case; None when we do not know it."""
    return _BY_NAME.get(name.casefold())


_BY_NAME = {
    **{name.casefold(): id_ for table in (CRITICAL, HIGH) for id_, (name, _) in table.items()},
    **{name.casefold(): id_ for table in (PRIVILEGED, ELEVATED, LOW) for id_, name in table.items()},
}
