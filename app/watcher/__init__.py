"""One poll: ask each desk what is pending, compare, remember, ask about what vanished, follow what was approved.

It never concludes anything from absence alone, and never paints or sends: rows do that. `watching` is the poll itself;
`looking` asks the desks, `remembering` turns what they list into rows, `reconciling` re-reads what is not listed any
more, `following` looks after approved roles, `sight` says what cannot be seen, `outages` what does
not answer, `readers` finds who may read,
`visiting` asks for callers of the HTTP API, who are polled by nobody.
"""

from app.watcher.outages import unseen_words
from app.watcher.reconciling import LAG
from app.watcher.visiting import Visits
from app.watcher.watching import Watcher

__all__ = ["LAG", "Visits", "Watcher", "unseen_words"]
