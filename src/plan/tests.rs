//! What is recycled, and what is not.

use super::*;
use crate::collect::book::Access;
use crate::correlate::Speaks;
use chrono::DateTime;
use stillin_parsers::exchange::Protocol;

fn key(scheme: Scheme) -> Key {
    let (pool, name) = ("MSExchangeMapiFrontEndAppPool", "fabrikam\\ada".into());
    Key { server: "EX01".into(), pool, protocol: Protocol::Mapi, scheme, name }
}

fn path(class: Class, state: State, schemes: &[Auth]) -> Path {
    let time = DateTime::from_timestamp(1_772_442_000, 0).unwrap();
    let access = Access::served(time);
    Path {
        key: 0,
        class,
        residual: Residual::Certain,
        state,
        first: access,
        last: access,
        goes_on: access,
        refused: None,
        restart: None,
        schemes: schemes.iter().copied().collect(),
        setting: None,
        requests: 1,
        data_requests: 0,
        clients: BTreeSet::new(),
        speaks: Speaks::default(),
        restored: None,
        is_back_end: false,
    }
}

/// Number of steps, and the beginnings of the advice.
fn check(scheme: Scheme, path: &Path, n_steps: usize, begin: &[&str]) {
    let (key, account, finding) = (key(scheme), "FABRIKAM\\ada", "f1");
    let planned = [Planned { finding, account, kind: ChangeKind::Disabled, key: &key, path }];
    assert_eq!(steps(&planned).len(), n_steps, "{path:?}");
    let pools: BTreeSet<_> = keys(&planned).map(|key| (&key.server, key.pool)).collect();
    assert_eq!(pools.len(), n_steps);
    let texts: Vec<_> = advice(&planned).into_iter().map(|told| told.text).collect();
    assert_eq!(texts.len(), begin.len(), "{texts:?}");
    for (text, begins) in texts.iter().zip(begin) {
        assert!(text.starts_with(begins), "{text}");
    }
}

#[test]
fn no_recycle_for_what_none_cuts() {
    let block = "switch the protocol off";
    let check = |class, state, schemes: &[Auth], advice: &[&str]| {
        let path = path(class, state, schemes);
        check(Scheme::Windows, &path, 0, advice);
        assert!(
            advice_for(&Planned {
                finding: "f1",
                account: "FABRIKAM\\ada",
                kind: ChangeKind::Disabled,
                key: &key(Scheme::Windows),
                path: &path,
            })
            .iter()
            .all(|text| !text.contains("recycle") || text.contains("no recycle"))
        );
    };
    use Class::{OtherAuth, WithinSlack};
    check(OtherAuth, State::Open, &[Auth::Kerberos], &["Kerberos: no recycle", block]);
    check(OtherAuth, State::Unknown, &[Auth::Kerberos], &["Kerberos: no recycle", block]);
    check(OtherAuth, State::Open, &[Auth::Ntlm], &["NTLM: there is no", block]);
    check(OtherAuth, State::Open, &[Auth::Negotiate], &["Negotiate is", block]);
    check(OtherAuth, State::Open, &[Auth::Bearer], &["bearer token", block]);
    check(OtherAuth, State::Open, &[Auth::Other], &["Basic is off in this pool", block]);
    // Too soon after the change to be judged, but a ticket all the same.
    check(WithinSlack, State::Open, &[Auth::Kerberos], &["Kerberos: no recycle", block]);
    check(OtherAuth, State::Expired, &[Auth::Kerberos], &[]);
}

#[test]
fn a_recycle_for_what_may_be_a_token() {
    let token = path(Class::CachedToken, State::Open, &[Auth::Token]);
    check(Scheme::Windows, &token, 1, &[]);
    let unknown = path(Class::CachedToken, State::Open, &[Auth::MayBeWindows]);
    check(Scheme::Windows, &unknown, 1, &["clients of this pool log on with Kerberos"]);
    let both = path(Class::CachedToken, State::Open, &[Auth::MayBeBoth]);
    check(Scheme::BasicAndWindows, &both, 1, &["clients of this pool may log on with Kerberos"]);
    // What was recycled needs none; but if it was a ticket, it may live on.
    let recycled = path(Class::CachedToken, State::Recycled, &[Auth::MayBeToken]);
    check(Scheme::Basic, &recycled, 0, &[]);
    let unknown = path(Class::CachedToken, State::Unknown, &[Auth::MayBeWindows]);
    let unclear = "the logs do not reach far enough";
    check(Scheme::Windows, &unknown, 0, &["clients of this pool log on with Kerberos", unclear]);
}
