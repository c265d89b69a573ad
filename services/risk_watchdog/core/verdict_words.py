"""What is said of a verdict: to the strategy, and to the log. Pure."""

from proto.verdicts import IntentApproved, IntentJudged, IntentRefused
from shared.core.service import Note


def answer_of(judged: IntentJudged) -> IntentApproved | IntentRefused:
    """Return what the strategy is answered."""
    approval = judged.approval
    if approval is not None:
        return IntentApproved(approval.intent_id, approval.approval_id, approval.quantity_max)
    assert judged.refusal is not None, "an intent is approved or refused"
    return judged.refusal


def note_of(judged: IntentJudged) -> Note:
    """Return what the log says."""
    if judged.approval is not None:
        approval = judged.approval
        details = {"approval": approval.approval_id, "quantity_max": f"{approval.quantity_max:f}"}
        return Note("info", "approved", {"intent": approval.intent_id, **details})
    assert judged.refusal is not None, "an intent is approved or refused"
    refusal = judged.refusal
    return Note("info", "refused", {"intent": refusal.intent_id, "rule": refusal.rule, "reason": refusal.reason})
