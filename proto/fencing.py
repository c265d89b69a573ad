"""What the flattener writes down of the roles that it takes over and ends."""

from proto.fields import Count, Instance, Message, Text


class RoleTaken(Message, frozen=True, tag="role_taken.1"):
    """The flattener holds a role: its holder is dead, nobody else sends in its name, and its epoch is this one."""

    instance: Instance
    epoch: Count
    reason: Text


class RoleReturned(Message, frozen=True, tag="role_returned.1"):
    """The role is free for its own process again."""

    instance: Instance
    epoch: Count
    reason: Text
