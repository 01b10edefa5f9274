//! What speaks for and against a residual: a set of grounds, in the report's order.

/// One thing that speaks for or against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// The client's run ended in a refusal of its password.
    RefusedAtLast,
    /// The client was refused at another server or pool.
    RefusedElsewhere,
    /// The browser session was ended, which may or may not have been for the password.
    SessionEnded,
    /// The client, or another one at its address, was refused; why, the log does not say.
    RefusedUnsaid,
    /// The server's logons are on record since the change, and the account has none.
    NoLogon,
    /// The log does not tell when the request began.
    StartUnknown,
    /// The password was reset by somebody else less than an hour before.
    ResetWithinTheHour,
    /// The user had changed the password a few minutes before.
    ChangedByUser,
    /// The password was asked for so soon after the change that a domain controller may have taken the old one.
    OldPasswordTaken,
    /// Since the change there was a logon from its address, its own or that of another client there.
    LogonPerhaps,
    /// The worker had been restarted so shortly before that the old one may have served it.
    Drained,
    /// Something hints at a restart of the worker in between.
    RestartHinted,
    /// The client must have logged on anew, and was refused its password all the same.
    RefusedAllTheSame,
    /// It is served and refused by turns, and may be two clients that look the same.
    ByTurns,
    /// The client must have logged on anew, and no logon is on record.
    NoLogonAllTheSame,
    /// Several accounts bear the name.
    SharedName,
    /// W3C and HttpProxy name different users.
    UsersDisagree,
    /// HttpProxy tells a SID that is not the account's.
    OtherSid,
    /// The account was enabled again at some unknown time before.
    MaybeEnabled,
    /// Sources put the change at different times, and it came before the latest of them.
    TimesDisagree,
    /// It went on from a time of which it cannot be told whether it was before the change.
    BegunBetween,
    /// The clock of the server is ahead by more than it came after the change and the slack.
    ClockAhead,
    /// The account was enabled again so shortly after that by other clocks it was perhaps before.
    EnabledSoonAfter,
    /// The account had been enabled again so shortly before that by the clock of the server it was perhaps after.
    EnabledShortlyBefore,
    /// The client was refused its password so shortly before the change that by other clocks it was perhaps after it.
    RefusedShortlyBefore,
    /// The clock of the server is behind by so much that it came after the change and the slack.
    ClockBehind,
}

impl Ground {
    /// All of them, in order.
    const ALL: [Ground; 26] = [
        Ground::RefusedAtLast,
        Ground::RefusedElsewhere,
        Ground::SessionEnded,
        Ground::RefusedUnsaid,
        Ground::NoLogon,
        Ground::StartUnknown,
        Ground::ResetWithinTheHour,
        Ground::ChangedByUser,
        Ground::OldPasswordTaken,
        Ground::LogonPerhaps,
        Ground::Drained,
        Ground::RestartHinted,
        Ground::RefusedAllTheSame,
        Ground::ByTurns,
        Ground::NoLogonAllTheSame,
        Ground::SharedName,
        Ground::UsersDisagree,
        Ground::OtherSid,
        Ground::MaybeEnabled,
        Ground::TimesDisagree,
        Ground::BegunBetween,
        Ground::ClockAhead,
        Ground::EnabledSoonAfter,
        Ground::EnabledShortlyBefore,
        Ground::RefusedShortlyBefore,
        Ground::ClockBehind,
    ];
}

/// A set of grounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speaks(u32);

impl Speaks {
    /// Those of both.
    pub fn and(self, other: Speaks) -> Speaks {
        Speaks(self.0 | other.0)
    }

    /// All but that one.
    pub fn without(self, ground: Ground) -> Speaks {
        Speaks(self.0 & !Speaks::from(ground).0)
    }

    /// Whether a ground is among them.
    pub fn has(self, ground: Ground) -> bool {
        self.0 & Speaks::from(ground).0 != 0
    }

    /// The grounds, in order.
    pub fn grounds(self) -> impl Iterator<Item = Ground> {
        Ground::ALL.into_iter().filter(move |&ground| self.has(ground))
    }
}

impl From<Ground> for Speaks {
    fn from(ground: Ground) -> Self {
        Speaks(1 << ground as u32)
    }
}
