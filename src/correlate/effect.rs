//! Which change is in effect at a moment.

use chrono::{DateTime, Utc};
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
    /// The password was reset by somebody else.
    pub is_reset_by_other: bool,
    /// The account was enabled again before some later moment: perhaps before this request.
    pub may_be_over: bool,
}

/// A time during which the account is disabled, deleted or expired.
struct Stretch {
    change: usize,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    until_is_latest: bool,
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
            let open = stretches.last_mut().filter(|stretch| stretch.until.is_none());
            match open {
                // While it lasts, the change that began it stays in effect, whatever else happens.
                Some(stretch) if cut.kind == ChangeKind::Enabled => {
                    stretch.until = Some(cut.at);
                    stretch.until_is_latest = cut.precision == Precision::AtLatest;
                }
                None if cut.kind.disables() => {
                    stretches.push(Stretch {
                        change,
                        from: cut.at,
                        until: None,
                        until_is_latest: false,
                    });
                }
                _ => {}
            }
        }
        Timeline { cuts, stretches }
    }

    /// The change in effect for a request: a disable that stands, else the last password change before its end.
    pub(super) fn in_effect(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Effect> {
        let standing =
            self.stretches.iter().rev().find(|stretch| {
                stretch.from <= end && stretch.until.is_none_or(|until| start < until)
            });
        let (change, may_be_over) = match standing {
            Some(stretch) => (stretch.change, stretch.until_is_latest),
            None => {
                let password = |cut: &Cut| cut.kind.sets_password() && cut.at <= end;
                (self.cuts.iter().rposition(password)?, false)
            }
        };
        let cut = self.cuts.get(change)?;
        let is_reset_by_other = cut.kind == ChangeKind::PasswordReset;
        Some(Effect { change, kind: cut.kind, at: cut.at, is_reset_by_other, may_be_over })
    }
}
