//! What restarts, logons and known schemes add.

use super::*;

fn check_with(evidence: &str, changes: &str, story: &str, expect: &str) {
    check_told(changes, story, &told(evidence), expect);
}

/// The grounds of each request from minute `from` on.
fn grounds(evidence: &str, changes: &str, story: &str) -> Vec<Vec<Ground>> {
    let classed = settled(&cuts(changes), &requests(story), &told(evidence));
    classed.into_iter().map(|c| c.speaks.grounds().collect()).collect()
}

#[test]
fn a_known_scheme_without_a_token_is_other_auth() {
    check("D100", "90K 105K 200N", "105:other_auth/certain 200:other_auth/certain");
    check("C100", "90K 105K 200N", "105:other_auth/possible 200:other_auth/possible");
    check("D100", "90K 100.5K 99+5K", "99:in_flight/no 100:within_slack/possible");
    // It is no refusal's business, and the password that was refused is another one.
    check("C100", "90K 105K 110x", "105:other_auth/possible 110:refused/no");
    // A client that was refused its password has a new one by now.
    check("C100", "105x 106K", "105:refused/no 106:new_logon/no");
}

#[test]
fn other_auth_neither_begins_nor_extends_nor_breaks_a_chain() {
    check("D100", "90K 103", "103:unexplained/certain");
    check(
        "C100",
        "90 101K 110K 131",
        "101:other_auth/possible 110:other_auth/possible 131:new_logon/no",
    );
    check("D100", "90 95K 104", "104:cached_token/certain");
    check(
        "C100",
        "90 104 105K 110x",
        "104:cached_token/certain 105:other_auth/possible 110:refused/no",
    );
}

#[test]
fn ntlm_takes_the_old_password_for_an_hour() {
    assert_eq!(
        grounds("", "C100", "105N 170N 106K"),
        [vec![Ground::OldPasswordTaken], vec![], vec![]]
    );
}

#[test]
fn a_known_token_is_judged_by_gaps_where_windows_is_the_default() {
    check("C100", "60w 180w", "180:ambiguous/possible");
    check("C100", "60T 180T", "180:new_logon/no");
}

#[test]
fn a_restart_ends_a_chain() {
    check_with(
        "r104",
        "D100",
        "90 103 106 110",
        "103:cached_token/certain 106:unexplained/certain 110:unexplained/certain",
    );
    check_with("r165", "C100", "90 103 115 128 141 154 167 170", "103:cached_token/possible
        115:cached_token/possible 128:cached_token/possible 141:cached_token/possible 154:cached_token/possible
        167:new_logon/no 170:new_logon/no");
    // Of another pool: nothing. Before the change: the chain begins there, before the change as well.
    check_with("r104k1", "D100", "90 103 106", "103:cached_token/certain 106:cached_token/certain");
    check_with("r92", "D100", "90 95 105", "105:cached_token/certain");
    // Between the change and a first request: the token can only be from after the change.
    check_with("r92", "D100", "90 103", "103:unexplained/certain");
    // Nothing is known of what may be Kerberos.
    check_with("r165", "C100", "95w 108w 121w 134w 147w 160w 167w", "108:cached_token/possible
        121:cached_token/possible 134:cached_token/possible 147:cached_token/possible 160:cached_token/possible
        167:ambiguous/possible");
}

#[test]
fn the_old_worker_drains_for_ninety_seconds() {
    check_with(
        "r104",
        "D100",
        "90 103 105 106",
        "103:cached_token/certain 105:ambiguous/certain 106:unexplained/certain",
    );
    check_with(
        "r104",
        "D100",
        "90 103 105 105.6",
        "103:cached_token/certain 105:ambiguous/certain 105:unexplained/certain",
    );
    // A long request that the old worker ends is no use of the new one.
    check_with("r104", "D100", "90 103+2 106", "103:cached_token/certain 106:unexplained/certain");
    // A start that is not known may lie before the restart.
    check_with("r304", "D100", "90~ 103~ 114~ 129~ 144~ 159~ 174~ 189~ 204~ 219~ 234~ 249~ 264~ 279~ 294~ 308~", "
        103:cached_token/possible 114:cached_token/possible 129:cached_token/possible 144:cached_token/possible
        159:cached_token/possible 174:cached_token/certain 189:cached_token/certain 204:cached_token/certain
        219:cached_token/certain 234:cached_token/certain 249:cached_token/certain 264:cached_token/certain
        279:cached_token/certain 294:cached_token/certain 308:ambiguous/certain");
    assert_eq!(grounds("r104", "D100", "90 105 106"), [vec![Ground::Drained], vec![]]);
}

#[test]
fn a_hint_is_no_end() {
    check_with("h104", "D100", "90 103 106", "103:cached_token/certain 106:ambiguous/certain");
    check_with(
        "h104",
        "C100",
        "90 103 106 110x",
        "103:cached_token/certain 106:ambiguous/likely 110:refused/no",
    );
    assert_eq!(grounds("h104", "D100", "90 103 106"), [vec![], vec![Ground::RestartHinted]]);
}

#[test]
fn a_restart_says_what_no_log_shows() {
    let late = Coverage { servers: vec![Some(span(minute(219.0), &[]))] };
    let told = |evidence| Told { coverage: late.clone(), ..told(evidence) };
    check_told("C100", "220", &told(""), "220:ambiguous/possible");
    check_told("C100", "220", &told("r200"), "220:new_logon/no");
    check_told("C100", "220", &told("r90"), "220:ambiguous/possible");
    check_told("D100", "220", &told("r200"), "220:unexplained/certain");
    // Somebody may have logged on between the restart and the change where no log shows it.
    let hole = Told { coverage: covered(&[(91.0, 219.0)]), ..super::told("r95") };
    check_told("C100", "90 220", &hole, "220:ambiguous/possible");
    let hole = Told { coverage: covered(&[(91.0, 219.0)]), ..super::told("r105") };
    check_told("C30", "90 220", &hole, "90:new_logon/no 220:new_logon/no");
}

#[test]
fn a_logon_is_the_new_password() {
    let story = "90 105 118 131 144 157 170";
    check_with(
        "l169",
        "C100",
        story,
        "105:cached_token/possible 118:cached_token/possible 131:cached_token/possible
        144:cached_token/possible 157:cached_token/possible 170:new_logon/no",
    );
    // Written a moment after the request began.
    check_with("l105.05", "C30", "20 33 46 59 72 85 98 105", "33:cached_token/possible 46:cached_token/possible
        59:cached_token/possible 72:cached_token/possible 85:cached_token/possible 98:cached_token/possible
        105:new_logon/no");
    // One that failed, or came before the change, is none.
    check_with("f169", "C100", "95 108", "108:cached_token/possible");
    check_with("l99", "C100", "95 108", "108:cached_token/possible");
    // A logon of what may be Kerberos is not known to be its.
    check_with("l169", "C100", "160w 170w", "160:ambiguous/possible 170:ambiguous/possible");
}

#[test]
fn a_logon_within_the_hour_may_be_the_old_password() {
    check_with(
        "l104",
        "C100",
        "90 105 110 180",
        "105:ambiguous/possible 110:ambiguous/possible 180:new_logon/no",
    );
    // A refusal later says so, and proves it not: behind a logon it may be of a password mistyped since.
    check_with(
        "l104",
        "C100",
        "90 105 110 120x",
        "105:ambiguous/likely 110:ambiguous/likely 120:refused/no",
    );
    // Not if the client may have been refused before where no log shows it.
    let hole = Told { coverage: covered(&[(101.0, 104.0)]), ..told("l104") };
    check_told("C100", "90 105 120x", &hole, "105:ambiguous/likely 120:refused/no");
    // So may what comes after a recycle.
    check_with("r103", "R100", "90 105 110", "105:ambiguous/possible 110:ambiguous/possible");
    let told = grounds("r103", "R100", "90 105");
    assert_eq!(told, [vec![Ground::OldPasswordTaken]]);
}

#[test]
fn a_logon_from_another_address_is_another_client() {
    check_with(
        "l169i2",
        "C110",
        "100i1 115i1 130i1 145i1 160i1 175i1 176i2 177",
        "115:cached_token/possible
        130:cached_token/possible 145:cached_token/possible 160:cached_token/possible
        175:cached_token/possible 176:ambiguous/possible 177:ambiguous/possible",
    );
    // A device keeps its password when it moves.
    check_with(
        "l171i2",
        "C110",
        "100i1 115i1 130i1 145i1 160i1 172i2 173i1",
        "115:cached_token/possible
        130:cached_token/possible 145:cached_token/possible 160:cached_token/possible
        172:new_logon/no 173:new_logon/no",
    );
}

#[test]
fn a_logon_of_another_client_at_the_address_is_not_this_ones() {
    // The tablet began to log on when the logon was written; the phone went on without a pause.
    let story = "90i1 105i1 118i1 131i1 144i1 157i1 170i1 170.9i1c1 183i1";
    let goes_on = "105:cached_token/possible 118:cached_token/possible 131:cached_token/possible
        144:cached_token/possible 157:cached_token/possible 170:cached_token/possible 170:new_logon/no";
    let open = format!("{goes_on} 183:cached_token/possible");
    check_with("l170.95i1", "C100", story, &open);
    // Where both began just before, or none did, it may have been either's.
    let open_too = open.replace("new_logon/no", "cached_token/possible");
    check_with("l170.95i1", "C100", &story.replace("170i1", "170.89i1"), &open_too);
    let unsaid = |evidence, story| grounds(evidence, "C100", story).pop().unwrap();
    assert_eq!(unsaid("l175i1", story), [Ground::LogonPerhaps]);
    assert_eq!(unsaid("l170.95i1", story), []);
    // Refused at last, it is certain only if no logon can have been its own.
    let refused = "90i1 105i1 118i1 131i1 144i1 157i1 170i1 170.9i1c1 183i1 190x";
    check_with(
        "l170.95i1",
        "C100",
        refused,
        &(open.replace("possible", "certain") + " 190:refused/no"),
    );
    check_with(
        "l175i1",
        "C100",
        refused,
        "105:cached_token/certain 118:cached_token/certain 131:cached_token/certain 144:cached_token/certain
        157:cached_token/certain 170:cached_token/certain 170:cached_token/possible 183:cached_token/likely
        190:refused/no",
    );
    // Who reset the password speaks for nothing then.
    assert_eq!(unsaid("l130i1", "90i1 105i1 110i1c1 118i1 131i1"), [Ground::LogonPerhaps]);
    check_with(
        "l130i1",
        "R100",
        "90i1 105i1 110i1c1 118i1 131i1",
        "105:cached_token/likely 110:cached_token/possible 118:cached_token/likely 131:cached_token/possible",
    );
    // A pause that no token outlives has the password asked for anew, whoever the logon was.
    check_with(
        "l220i1",
        "C100",
        "90i1 105i1 110i1c1 221i1",
        "105:cached_token/possible 110:cached_token/possible 221:new_logon/no",
    );
}

#[test]
fn no_logon_is_the_old_password() {
    check_with(
        "s",
        "C100",
        "90 105 180 200x",
        "105:cached_token/certain 180:ambiguous/likely 200:refused/no",
    );
    check_with("s", "C100", "90T 105T", "105:cached_token/certain");
    check_with("s", "C100", "90 117", "117:ambiguous/certain");
    // Windows authentication makes no logon of that kind.
    check_with("s", "C100", "90w 105w", "105:cached_token/possible");
    check_with("s", "C100", "90b 105b", "105:cached_token/possible");
    // The Security log begins too late, or has any logon at all, or is not there.
    check_with("s99.5", "C100", "90 105", "105:cached_token/possible");
    check_with("s l102i3", "C100", "90i1 105i1", "105:cached_token/possible");
    check_with("s l99.5", "C100", "90 105", "105:cached_token/possible");
    check_with("s l98", "C100", "90 105", "105:cached_token/certain");
    check_with("l98", "C100", "90 105", "105:cached_token/possible");
    // Somebody whom no source knows, at the client's address, may be the account by another name; nobody has logged on
    // for that.
    check_with("s n102i1", "C100", "90i1 105i1", "105:cached_token/possible");
    check_with("s n102", "C100", "90i1 105i1", "105:cached_token/possible");
    check_with("s n180i1", "C100", "170i1 182i1", "170:ambiguous/possible 182:new_logon/no");
    check_with("s n102i2 n98i1 n111i1", "C100", "90i1 105i1", "105:cached_token/certain");
    assert_eq!(grounds("s", "C100", "90 105")[0][0], Ground::NoLogon);
}

#[test]
fn evidence_that_disagrees_proves_nothing() {
    // Logged on anew after the recycle, and yet refused.
    let story = "165 178 183 190x";
    check_with(
        "",
        "C100",
        story,
        "165:new_logon/no 178:new_logon/no 183:new_logon/no 190:refused/no",
    );
    check_with(
        "r170",
        "C160",
        "155 168 223 230x",
        "168:cached_token/possible 223:new_logon/no 230:refused/no",
    );
    check_with("r225", "C160", "155 168 181 194 207 220 227 230x", "168:cached_token/possible
        181:cached_token/possible 194:cached_token/possible 207:cached_token/possible 220:cached_token/possible
        227:ambiguous/possible 230:refused/no");
    // What came in between, and may have had another reason, changes nothing of that.
    check_with("r225", "C160", "155 168 181 194 207 220 227 228k1x 230x", "168:cached_token/possible
        181:cached_token/possible 194:cached_token/possible 207:cached_token/possible 220:cached_token/possible
        227:ambiguous/possible 228:refused/no 230:refused/no");
    // Logged on anew after the recycle, and no logon on record.
    check_with("s r225", "C160", "155 168 181 194 207 220 227", "168:cached_token/certain 181:cached_token/certain
        194:cached_token/certain 207:cached_token/certain 220:cached_token/certain 227:ambiguous/possible");
    assert_eq!(grounds("s r225", "C160", "155 227"), [vec![Ground::NoLogonAllTheSame]]);
    assert_eq!(
        grounds("l225", "C160", "155 168 181 194 207 220 227 230x")[5],
        [Ground::RefusedAllTheSame]
    );
}

#[test]
fn what_another_log_gives_to_somebody_else_keeps_no_token_alive() {
    check(
        "R100",
        "90 105! 117! 131 132! 140x",
        "105:ambiguous/possible 117:ambiguous/possible 131:ambiguous/likely 132:ambiguous/possible 140:refused/no",
    );
    check(
        "R100",
        "90 105 117 131 140x",
        "105:cached_token/certain 117:cached_token/certain
        131:cached_token/certain 140:refused/no",
    );
    check("D100", "90 105! 117", "105:ambiguous/possible 117:ambiguous/certain");
    assert_eq!(grounds("", "D100", "90 105!"), [vec![Ground::OtherSid]]);
}

#[test]
fn a_new_logon_ends_the_run_before_it() {
    check("C100", "90 105 165 175x", "105:cached_token/possible 165:new_logon/no 175:refused/no");
    // Of what came before it, even where it may have been with the old password.
    let told = told("l107");
    check_told(
        "C100",
        "90 105 108 115x",
        &told,
        "105:cached_token/possible 108:ambiguous/likely 115:refused/no",
    );
}

#[test]
fn a_blind_log_or_what_may_be_windows_is_never_certain_by_a_refusal() {
    let hole = covered(&[(92.0, 199.0)]);
    check_covered("C100", "90 200 210x", &hole, "200:ambiguous/likely 210:refused/no");
    check("C100", "60w 140w 150xw", "140:ambiguous/likely 150:refused/no");
    check("C100", "90 117 120x", "117:ambiguous/certain 120:refused/no");
    // The client may have been refused and given the new password where no log shows it.
    let hole = covered(&[(101.0, 104.0)]);
    check_covered("C100", "90 105 110x", &hole, "105:cached_token/likely 110:refused/no");
}

#[test]
fn who_changed_the_password_speaks_for_the_old_or_the_new() {
    let own = grounds("", "C100", "90 105 115");
    assert_eq!(own, [vec![Ground::ChangedByUser], vec![]]);
    assert_eq!(grounds("", "R100", "90 105"), [vec![Ground::ResetWithinTheHour]]);
    // A device that nobody saw before.
    assert_eq!(grounds("", "C100", "90c1 105c2"), [vec![]]);
}

#[test]
#[should_panic(expected = "restarts must come in order of time")]
fn order_of_restarts_is_asserted() {
    Restarts::new(vec![vec![restart(minute(2.0), true), restart(minute(1.0), true)]]);
}

#[test]
#[should_panic(expected = "logons must come in order of time")]
fn order_of_logons_is_asserted() {
    settled(&cuts("D5"), &requests("10"), &told("l2 l1"));
}
