//! Which change is in effect at a moment.

use chrono::{DateTime, TimeDelta, Utc};
use stillin_parsers::event::{ChangeKind, Precision};

/// A change that bears on access: it cuts, or it restores.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// What.
    pub kind: ChangeKind,
    /// When.
    pub at: DateTime<Utc>,
    /// How well `at` is known.
    pub precision: Precision,
    /// The latest time that a source gives, where sources contradict each other; `at` is the earliest.
    pub disputed_until: Option<DateTime<Utc>>,
    /// The password was reset by somebody else.
    pub is_reset_by_other: bool,
}

/// How far the clock of a server may be off that of the domain controllers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// Ahead by so much; never negative.
    pub ahead: TimeDelta,
    /// Behind by so much; never negative.
    pub behind: TimeDelta,
}

/// The change in effect for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Index of the cut.
    pub change: usize,
    /// Its kind.
    pub kind: ChangeKind,
    /// Its time.
    pub at: DateTime<Utc>,
    /// By the clock of the server it was not made before.
    pub earliest: DateTime<Utc>,
    /// By the clock of the server, and of what sources say the latest, it was made by then.
    pub latest: DateTime<Utc>,
    /// Sources put it at different times.
    pub is_disputed: bool,
    /// The password was reset by somebody else.
    pub is_reset_by_other: bool,
    /// Its time is known; else it was made then or before.
    pub is_exact: bool,
    /// The account was enabled again before some later moment: perhaps before this request.
    pub may_be_over: bool,
    /// It was enabled again so shortly after this request that by other clocks it was perhaps before.
    pub ends_soon: bool,
}

impl Effect {
    /// As it is seen by the clock of a server.
    pub(super) fn by(self, clock: Clock) -> Self {
        Effect { earliest: self.earliest - clock.behind, latest: self.latest + clock.ahead, ..self }
    }
}

/// A time during which the account is disabled, deleted or expired.
struct Stretch {
    change: usize,
    kind: ChangeKind,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    /// From when on it may be over, where that is before its end.
    may_be_over: Option<DateTime<Utc>>,
}

/// One account's cuts, ready to be asked.
pub(super) struct Timeline<'a> {
    cuts: &'a [Cut],
    stretches: Vec<Stretch>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(cuts: &'a [Cut]) -> Self {
        assert!(cuts.is_sorted_by_key(|cut| cut.at), "changes must come in order of time");
        let mut stretches: Vec<Stretch> = Vec::new();
        for (change, cut) in cuts.iter().enumerate() {
            let is_open = |kind| stretches.iter().any(|s| s.kind == kind && s.until.is_none());
            // An account can be disabled and expired at once, and what ends the one does not end the other.
            let ended: &[ChangeKind] = match cut.kind {
                ChangeKind::Enabled if is_open(ChangeKind::Disabled) => {
                    &[ChangeKind::Disabled, ChangeKind::Deleted]
                }
                ChangeKind::Enabled => &[ChangeKind::Deleted, ChangeKind::Expired],
                ChangeKind::Prolonged => &[ChangeKind::Expired],
                // Another account, under the old name.
                ChangeKind::Created => {
                    &[ChangeKind::Disabled, ChangeKind::Deleted, ChangeKind::Expired]
                }
                _ => &[],
            };
            // While it lasts, the change that began it stays in effect, whatever else happens.
            let begins = cut.kind.disables() && !is_open(cut.kind);
            for stretch in &mut stretches {
                if stretch.until.is_none() && ended.contains(&stretch.kind) {
                    stretch.until = Some(cut.disputed_until.unwrap_or(cut.at));
                    stretch.may_be_over = match cut.precision {
                        Precision::AtLatest => Some(stretch.from),
                        Precision::Exact => cut.disputed_until.map(|_| cut.at),
                    };
                }
            }
            if begins {
                let (kind, from) = (cut.kind, cut.at);
                let (until, may_be_over) = (None, None);
                stretches.push(Stretch { change, kind, from, until, may_be_over });
            }
        }
        Timeline { cuts, stretches }
    }

    /// What is dated after `time`, by a clock that is behind, and was made and known by then: a cut, and whether it was
    /// over by then.
    pub(super) fn made_by_then(
        &self,
        time: DateTime<Utc>,
        behind: TimeDelta,
        slack: TimeDelta,
    ) -> Option<(usize, bool)> {
        if behind <= slack {
            return None;
        }
        let is_meant = |at: DateTime<Utc>| time < at && at + slack <= time + behind;
        let begun = self.stretches.iter().find(|stretch| is_meant(stretch.from));
        let password = |cut: &Cut| cut.kind.sets_password() && is_meant(cut.at);
        let set = || Some((self.cuts.iter().rposition(password)?, false));
        let is_over = |stretch: &Stretch| {
            stretch.may_be_over.or(stretch.until).is_some_and(|over| over <= time + behind + slack)
        };
        begun.map(|stretch| (stretch.change, is_over(stretch))).or_else(set)
    }

    /// What is over by its date at `time`, and was not by a clock that is ahead: a disable.
    pub(super) fn over_since(&self, time: DateTime<Utc>, ahead: TimeDelta) -> Option<usize> {
        if ahead.is_zero() {
            return None;
        }
        let is_meant = |until: DateTime<Utc>| until <= time && time < until + ahead;
        let over = self.stretches.iter().find(|stretch| stretch.until.is_some_and(is_meant));
        over.map(|stretch| stretch.change)
    }

    /// A password is set after `time`, but no later than so.
    pub(super) fn sets_password_within(&self, time: DateTime<Utc>, allowed: TimeDelta) -> bool {
        let after = &self.cuts[self.cuts.partition_point(|cut| cut.at <= time)..];
        let mut soon = after.iter().take_while(|cut| cut.at <= time + allowed);
        soon.any(|cut| cut.kind.sets_password())
    }

    /// The change in effect for a request: a disable that stands, else the last password change before its end.
    /// It may end by so much earlier than it is dated: what is allowed for between the clocks.
    pub(super) fn in_effect(
        &self,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
        allowed: TimeDelta,
    ) -> Option<Effect> {
        let lasts = |stretch: &&Stretch| stretch.until.is_none_or(|until| start < until);
        let standing_at = |time: DateTime<Utc>| {
            self.stretches.iter().filter(lasts).find(|stretch| stretch.from <= time)
        };
        // What stood when the request began goes before what came while it lasted.
        let standing = standing_at(start).or_else(|| standing_at(end));
        let change = match standing {
            Some(stretch) => stretch.change,
            None => {
                let password = |cut: &Cut| cut.kind.sets_password() && cut.at <= end;
                self.cuts.iter().rposition(password)?
            }
        };
        let may_be_over = standing.and_then(|stretch| stretch.may_be_over);
        let over = may_be_over.or(standing.and_then(|stretch| stretch.until));
        let cut = self.cuts.get(change)?;
        Some(Effect {
            change,
            kind: cut.kind,
            at: cut.at,
            earliest: cut.at,
            latest: cut.disputed_until.unwrap_or(cut.at),
            is_disputed: cut.disputed_until.is_some(),
            is_reset_by_other: cut.is_reset_by_other,
            is_exact: cut.precision == Precision::Exact,
            may_be_over: may_be_over.is_some_and(|from| from <= start),
            ends_soon: over.is_some_and(|over| over - allowed <= start && start < over),
        })
    }
}
