"""Every failure the bot can meet, as one tree. An expected "no" is never here: that is a `Refused` value.

BotError                 retryable: would the same call, a little later, have a chance?
├─ Unavailable           a service did not take the call (connect failure, 429, an outage on a read)    retryable
│  └─ ConsentMissing     ... because an administrator has not consented to the permission yet           retryable
├─ OutcomeUnknown        a decision was sent and no trustworthy answer came back: read back, never send again blindly
├─ GraphRefused          Microsoft said no (4xx), and the same call again will not help
│  ├─ AlreadyDecided     409: another approver was first
│  └─ RequestGone        404: Microsoft does not know the request (any more)
├─ Malformed             an answer that is not what Microsoft documents (HTML for JSON, a wrong type)   retryable
├─ SignInRequired        the person must sign in to Microsoft (again) before anything can be done for them
│  └─ ClaimsChallenge    ... and prove more than last time (Conditional Access)
├─ SignInFailed          a sign-in in the browser ended without a link; the text is safe to show
│  └─ DeviceDemanded     ... or its renewal did: the company demands a managed device (Conditional Access)
├─ SlackFailed           Slack said no for good (channel archived, token revoked): retrying is noise
│  └─ CardLost           the message is not there any more
├─ Superseded            another process does the rounds now: what this one was about to write is void
├─ Tampered              stored ciphertext does not open: swapped, rolled back, truncated, or the key is gone
└─ BadSettings           the process must not start; one sentence per mistake
"""

from __future__ import annotations


class BotError(Exception):
    """Something failed."""

    retryable = False
    request_id = ""  # what Microsoft calls its answer, where it was one to a change

    def __init__(self, message: str = "") -> None:
        """Keep the message, or the class's own sentence when there is none."""
        super().__init__(message or (type(self).__doc__ or "").strip())


class Unavailable(BotError):
    """The service cannot be reached right now. Nothing was decided."""

    retryable = True

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        """`retry_after`: seconds the service asked us to wait, already clamped, or None when it did not say."""
        super().__init__(message)
        self.retry_after = retry_after


class ConsentMissing(Unavailable):
    """An administrator must consent to the bot's permissions in Entra first."""


class Superseded(BotError):
    """Another process does the rounds now. Nothing was written."""


class OutcomeUnknown(BotError):
    """The decision was sent, but no trustworthy answer came back."""


class GraphRefused(BotError):
    """Microsoft refused the call."""

    def __init__(self, message: str = "", *, status: int = 0, code: str = "") -> None:
        """`status`: HTTP status; `code`: Microsoft's error code."""
        super().__init__(message)
        self.status = status
        self.code = code


class AlreadyDecided(GraphRefused):
    """Another approver decided this request first."""


class RequestGone(GraphRefused):
    """Microsoft does not know this request any more."""


class Malformed(BotError):
    """Microsoft's answer could not be read."""

    retryable = True


class SignInRequired(BotError):
    """Sign in to Microsoft again."""


class ClaimsChallenge(SignInRequired):
    """Your company asks for a stronger sign-in before this can be done."""

    def __init__(self, message: str = "", *, claims: str) -> None:
        """`claims`: the JSON that the next authorize request must carry."""
        super().__init__(message)
        self.claims = claims


class SignInFailed(BotError):
    """The sign-in did not finish. Nothing was stored."""


class DeviceDemanded(SignInFailed):
    """Your company lets this sign-in through only from a managed device."""


class SlackFailed(BotError):
    """Slack refused the call for good."""

    def __init__(self, message: str = "", *, code: str = "") -> None:
        """`code`: Slack's error code, such as `channel_not_found`."""
        super().__init__(message)
        self.code = code


class CardLost(SlackFailed):
    """The Slack message is not there any more."""


class Tampered(BotError):
    """Stored ciphertext cannot be opened. The person it belongs to must sign in again."""


class BadSettings(BotError):
    """The settings are wrong; the bot does not start."""
