"""What the demo's later acts share: a person's deeds, one sentence each, and whether they had their effect."""

from .rpc import Session


class Act:
    """`differences` are the sentences that turned out wrong."""

    def __init__(self, admin: Session, fake, organisation):
        self.admin, self.fake, self.organisation = admin, fake, organisation
        self.differences = []

    def check(self, sentence: str, is_right) -> None:
        print(f"  {'' if is_right else '✗ '}{sentence}", flush=True)
        if not is_right:
            self.differences.append(sentence)


def one_line(text: str | None) -> str:
    return ' '.join((text or 'nothing').split())


def told(answer) -> str:
    """What a button's notification says."""
    return (answer.get('params') or {}).get('message', '') if isinstance(answer, dict) else ''
