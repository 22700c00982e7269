"""What a role lets its holder do, one short sentence a role, as data. It judges nothing: tiers.py does.

Source: Microsoft's descriptions of the built-in roles of Entra and Azure, in our words. An unknown role has no
sentence: nothing is guessed from a name.
"""

from __future__ import annotations

from app.domain import azure_roles, roles
from app.domain.request import Kind, RequestKey, Role

_GROUP = {
    "member": "has everything that is granted to this group",
    "owner": "decides who is in this group, and so who has everything that is granted to it",
}
_CAN = {
    **{id_: does for table in (roles.CRITICAL, roles.HIGH) for id_, (_, does) in table.items()},
    **{id_: does for table in (azure_roles.CONTROL, azure_roles.BROAD) for id_, (_, does) in table.items()},
    roles.GLOBAL_ADMINISTRATOR: "full control over all Microsoft 365 services",
    # Entra roles that Microsoft labels privileged.
    "194ae4cb-b126-40b2-bd5b-6091b380977d": "changes security policies and reads all security reports",
    "cf1c38e5-3621-4004-a7cb-879624dced7c": "registers applications even where users may not",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "creates and deletes users and groups, resets passwords of many",
    "3a2c62db-5318-420d-8d74-23affee5d9d5": "controls all managed devices and what runs on them",
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9": "changes Conditional Access, and so who must prove what to get in",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f": "resets sign-in methods and passwords of people without admin roles",
    "25a516ed-2fa0-40ea-a2d0-12923a21473a": "runs code of its own in everybody's sign-in",
    "729827e3-9c14-49f7-bb1b-9608f156bbb8": "resets passwords of people without admin roles, ends their sessions",
    "966707d0-3269-4727-9be2-8c3a10f19b9d": "resets passwords of people without admin roles",
    "be2f45a1-457d-42af-a067-6ec1fa63bc45": "decides which outside identity providers are trusted",
    "9360feb5-f418-4baa-8175-e2a00bac4301": "writes basic data of users, groups and applications",
    "7698a772-787b-4ac8-901f-60d6b08affd2": "enables, disables and deletes devices, reads their recovery keys",
    "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f": "handles security alerts and reads security reports",
    "5d6b6bb7-de71-4623-b4af-96380a352509": "reads security reports and policies, changes nothing",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "reads everything that a Global Administrator can read, changes nothing",
    "59d46f88-662b-457b-bceb-5c3809e5908f": "runs workflows on accounts of joiners, movers and leavers",
    "aaf43236-0c0d-4d5f-883a-6955382ac081": "controls the keys of customer sign-in",
    "ecb2c6bf-0ab6-418e-bd87-7986f8d63bbe": "decides how custom attributes are filled from other systems",
    "422218e4-db15-4ef9-bbe0-8afb41546d79": "reads how custom attributes are filled",
    "db506228-d27e-4b7d-95e5-295956d6615f": "controls the identities of agents",
    "4ba39ca4-527c-499a-b93d-d9b492c50246": "resets passwords of people without admin roles, and changes applications",
    # Others that reach far.
    "69091246-20e8-4a56-aa4d-066075b2a7a8": "controls Teams: meetings, calls, policies, who may join",
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "controls all groups and their settings",
    "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e": "decides what access packages give and who reviews access",
    "0526716b-113d-4c15-b2c8-68e3c22b9f80": "decides which sign-in methods the company allows",
    "17315797-102d-40b4-93e0-432062caca18": "controls compliance: retention, data loss, investigations",
    "e6d1a23a-da11-4be4-9570-befc86d067a7": "controls compliance data and follows what happens to it",
    "b0f54661-2d74-4c50-afa3-1ec803f12efe": "buys and manages subscriptions and support",
    "11648597-926c-4cf3-9c36-bcebb0ba8dcc": "controls all of Power Platform, its data and flows",
    "a9ea8996-122f-4c74-9520-8edcd192826c": "controls all of Fabric and Power BI, and its data",
    "44367163-eba1-44c3-98af-f5787879f96a": "controls all of Dynamics 365 and its data",
    "e3973bdf-4987-49ae-837a-ba8e231c7286": "sets the company's policies for Azure DevOps",
    "11451d60-acb2-45eb-a7d6-43d0f0125c13": "controls Cloud PCs and who has one",
    "58a13ea3-c632-46ae-9ee0-9c0d43cd7f3d": "gives custom attributes to users and applications",
    "8424c6f0-a189-499e-bbd0-26c1753c96d4": "defines custom security attributes",
    "ac434307-12b9-4fa1-a708-88bf58caabc1": "controls Global Secure Access, and so where traffic goes",
    "892c5842-a9a6-463a-8041-72aa08ca3cf6": "controls Defender for Cloud Apps",
    "d29b2b05-8046-44ba-8758-1e26182fcf32": "is made for directory synchronisation, not for people",
    "3edaf663-341e-4475-9f94-5c398ef6c070": "changes the policies of customer sign-in",
    "6e591065-9bad-43ed-90f3-e9424366d2f0": "changes the user flows of customer sign-in",
    "4d6ac14f-3453-41d0-bef9-a3e0c569773a": "gives and takes licences",
    "af78dc32-cf4d-46f9-ba4e-4428526346b5": "controls Permissions Management",
    "d2562ede-74db-457e-a7b6-544e236ebb61": "controls Copilot and other AI services",
    "9f06204d-73c1-4d4c-880a-6edb90606fd8": "is administrator on every joined device",
    "95e79109-95c0-4d8e-aee3-d01accf2d47b": "invites guests even where members may not",
    "4a5d8f65-41da-4de4-8968-e035b65339cf": "reads usage reports and sign-in logs, changes nothing",
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b": "reads basic data of the directory, changes nothing",
    "f023fd81-a637-4b56-95fd-791ac0226033": "reads service health and opens support tickets",
    # Azure roles that reach data, machines or identities.
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "reads and changes all secrets there",
    "a4417e6f-fecd-4de8-b567-7b0420556985": "reads and changes all certificates there",
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603": "reads and changes all keys there",
    "f25e0fa2-a7c8-4377-a976-54943a77a395": "manages key vaults there, but not what is in them",
    "08bbd89e-9f13-488c-ac41-acfcb10c90ab": "releases keys there",
    "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59": "creates and deletes managed identities there",
    "f1a07417-d97a-45cb-824c-7a7467783830": "lets machines act as the managed identities there",
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c": "manages virtual machines there, and can run commands on them",
    "1c0163c0-47e6-4577-8991-ea5c82e286e4": "signs in to virtual machines there as administrator",
    "a6333a3e-0164-44c3-b281-7a577aff287f": "manages the operating system of machines there",
    "87a39d53-fc1b-424a-814c-f7e04687dc9e": "changes logic apps there, and so what they do in others' names",
    "eeaeda52-9324-47f6-8069-5d5bade478b2": "manages domain services and networks there",
    "959f8984-c045-4866-89c7-12bf9737be2e": "reads and writes managed disks there",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "reads all settings there, changes nothing",
}


def power(key: RequestKey, role: Role) -> str:
    """What it lets one do, without a subject or a full stop; empty for a role nobody here knows."""
    if key.kind is not Kind.GROUP:
        return _CAN.get(role.id.casefold(), "")
    reach = ", directory roles among it" if role.privileged else ""
    can = _GROUP.get(role.id.casefold(), "")
    return f"{can}{reach}" if can else ""
