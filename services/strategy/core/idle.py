"""What a process makes of its life for which no strategy is chosen: it says so, and waits. Pure."""

from collections.abc import Sequence

from shared.core.service import Effect, Happening, Moment, Note, Started, Stop, StopAsked


class IdleCore:
    """Decides nothing. A process that ended instead would be started again and again."""

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        del now
        match happening:
            case Started(instance=instance):
                what_to_do = f"name {instance} in strategies.run, or take its program out of supervisord.conf"
                return (Note("info", "no strategy is chosen for this process", {"what_to_do": what_to_do}),)
            case StopAsked():
                return (Stop(),)
            case _:
                return ()
