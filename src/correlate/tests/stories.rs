//! What web logs alone tell.

use super::*;

#[test]
fn a_phone_goes_on_after_a_disable() {
    check(
        "D100",
        "80 90 99+5 100.5 110 124 125x",
        "99:in_flight/no 100:within_slack/possible
        110:cached_token/certain 124:cached_token/certain 125:refused/no",
    );
}

#[test]
fn gaps_end_chains() {
    check(
        "D100",
        "90 105 121 140",
        "105:cached_token/certain 121:ambiguous/certain 140:ambiguous/certain",
    );
    check("D100", "90 140", "140:unexplained/certain");
    check("D100", "140", "140:unexplained/certain");
    // The TTL runs from the end of a long request.
    check("D100", "60+60 134", "60:in_flight/no 134:cached_token/certain");
    // Chains of other keys do not help.
    check("D100", "90k1 95k1 103k2", "103:unexplained/certain");
}

#[test]
fn told_disabled_and_served_again_is_unexplained() {
    check(
        "D100",
        "95 105 110d 112",
        "105:cached_token/certain 110:refused/no 112:unexplained/certain",
    );
}

#[test]
fn a_blind_log_proves_no_idleness() {
    check_covered("D100", "90 200", &covered(&[(92.0, 199.0)]), "200:ambiguous/certain");
    check_covered("R100", "90 200", &covered(&[(92.0, 199.0)]), "200:ambiguous/possible");
    let late = Coverage {
        servers: vec![Some(Span { from: minute(119.0), to: minute(300.0), gaps: vec![] })],
    };
    check_covered("R100", "120", &late, "120:ambiguous/possible");
}

#[test]
fn an_old_password_is_proven_by_the_refusal_at_the_end() {
    check(
        "C100",
        "90 105 110 115x 116",
        "105:cached_token/certain 110:cached_token/certain
        115:refused/no 116:new_logon/no",
    );
    check("C100", "90 105 110", "105:cached_token/possible 110:cached_token/possible");
    // A reset by somebody else: likely within the hour.
    check("R100", "90 105 118 131 144 157 170", "105:cached_token/likely 118:cached_token/likely
        131:cached_token/likely 144:cached_token/likely 157:cached_token/likely 170:cached_token/possible");
    // The refusal of one client says nothing of another one's password.
    check(
        "C100",
        "90c1 91c2 105c1 106c2 107c2x",
        "105:cached_token/possible 106:cached_token/certain
        107:refused/no",
    );
    // Refused elsewhere: likely.
    check("C100", "90k1 105k1 106k2x", "105:cached_token/likely 106:refused/no");
    // A session that ended is no proof, and being told «disabled» takes the right password.
    check("C100", "90 105 110t", "105:cached_token/likely 110:refused/no");
    check("C100", "90 105 110d", "105:cached_token/possible 110:refused/no");
}

#[test]
fn a_refusal_after_a_second_change_says_nothing_of_the_first() {
    check("C100 C200", "90 105 201x", "105:cached_token/possible 201:refused/no");
    check("C100 D200", "90 105 201x", "105:cached_token/possible 201:refused/no");
}

#[test]
fn the_new_password_is_believed() {
    check("C100", "90 101x 102 110", "101:refused/no 102:new_logon/no 110:new_logon/no");
    check("C100", "60 165 175", "165:new_logon/no 175:new_logon/no");
    // Within the hour domain controllers may have taken the old one, as the refusal later says.
    check(
        "C100",
        "60 140 150 170",
        "140:ambiguous/possible 150:ambiguous/possible 170:ambiguous/possible",
    );
    check("R100", "60 140 150 155x", "140:ambiguous/likely 150:ambiguous/likely 155:refused/no");
    check("C100", "60 140 165x 166", "140:ambiguous/likely 165:refused/no 166:new_logon/no");
    check("C100", "90 117 130", "117:ambiguous/possible 130:ambiguous/possible");
    // A gap proves nothing where the client may never have had a cached token.
    check("C100", "60 140w", "140:ambiguous/possible");
}

#[test]
fn a_flap_restores_and_an_older_password_change_counts_again() {
    check("D100 E150", "95 110 155", "110:cached_token/certain");
    check("R50 D100 E150", "40 110 200", "110:unexplained/certain 200:new_logon/no");
    check("D100 e150", "95 110 155", "110:cached_token/possible");
    check("D100 R110", "95 105 112", "105:cached_token/certain 112:cached_token/certain");
    check("R90 D100", "80 95 105", "95:cached_token/likely 105:cached_token/certain");
}

#[test]
fn a_shared_name_is_never_certain() {
    check("D100", "90? 105? 140?", "105:ambiguous/possible 140:ambiguous/possible");
}

#[test]
fn disabled_and_expired_end_apart() {
    let all = "80 90 100 110 120 130 140 150 160";
    // Prolonged, but still disabled.
    check(
        "D95 X96 P125",
        all,
        "100:cached_token/certain 110:cached_token/certain 120:cached_token/certain 130:cached_token/certain 140:cached_token/certain 150:cached_token/certain 160:cached_token/certain",
    );
    // Enabled, but still expired.
    check(
        "D95 X105 E115",
        "90 100 110 120 130",
        "100:cached_token/certain 110:cached_token/certain 120:cached_token/certain 130:cached_token/certain",
    );
    check("X95 P115", "90 100 120", "100:cached_token/certain");
    // A list that says enabled after an expiry means that it is over.
    check("X95 E115", "90 100 120", "100:cached_token/certain");
    // The name is another account's.
    check("G95 N115", "90 100 120", "100:cached_token/certain");
}

#[test]
fn what_began_while_disabled_is_residual_though_a_second_disable_came_meanwhile() {
    check("D100 E130 D160", "90 105+60", "105:cached_token/certain");
}

#[test]
fn a_start_that_is_not_known_may_lie_before_the_change() {
    check(
        "D100",
        "95 110~ 159~ 161~",
        "110:cached_token/possible 159:ambiguous/possible 161:ambiguous/certain",
    );
    check("R100", "95~ 140~ 180~", "140:ambiguous/possible 180:ambiguous/possible");
}

#[test]
fn a_refusal_for_an_unknown_reason_or_of_perhaps_another_client_proves_nothing() {
    check(
        "C100",
        "95 110 115u 116",
        "110:cached_token/likely 115:refused/no 116:cached_token/possible",
    );
    check(
        "C100",
        "95 110 115xa 116",
        "110:cached_token/likely 115:refused/no 116:cached_token/possible",
    );
    check(
        "C100",
        "95 110 115n 116",
        "110:cached_token/likely 115:refused/no 116:cached_token/possible",
    );
    check("C100", "95 110 115x 116", "110:cached_token/certain 115:refused/no 116:new_logon/no");
}

#[test]
fn two_clients_may_look_the_same_where_none_is_a_device() {
    check("C100", "90m 105m 110xm", "105:cached_token/likely 110:refused/no");
    // Served behind a refusal it has the new password; refused again, it may be two of which one has.
    check(
        "C100",
        "90m 105m 110xm 112m 130m",
        "105:cached_token/likely 110:refused/no 112:new_logon/no 130:new_logon/no",
    );
    check(
        "C100",
        "90m 105m 110xm 112m 114xm 116m 118xm 250m",
        "105:cached_token/likely 110:refused/no 112:ambiguous/possible 114:refused/no 116:ambiguous/possible
        118:refused/no 250:ambiguous/possible",
    );
    check(
        "C100",
        "90 105 110x 112 114x 116",
        "105:cached_token/certain 110:refused/no 112:new_logon/no 114:refused/no 116:new_logon/no",
    );
    // The next change begins anew.
    check(
        "C100 C130",
        "105xm 112m 114xm 116m 132xm 134m",
        "105:refused/no 112:ambiguous/possible 114:refused/no 116:ambiguous/possible 132:refused/no
        134:new_logon/no",
    );
}

#[test]
fn what_is_typed_into_a_form_says_nothing_of_the_session() {
    check("C100", "90 105 110f", "105:cached_token/possible 110:refused/no");
    check("C100", "90 105 110o", "105:cached_token/certain 110:refused/no");
    // Nor that the client is served for another password afterwards.
    check(
        "C100",
        "90 105 110f 112",
        "105:cached_token/possible 110:refused/no 112:cached_token/possible",
    );
}

#[test]
fn a_client_that_came_after_a_reset_may_have_the_new_password() {
    check("R100", "95c1 104c1 108c2", "104:cached_token/likely 108:cached_token/possible");
}

#[test]
#[expect(clippy::should_panic_without_expect)]
#[should_panic]
fn order_is_asserted() {
    settled(&cuts("D5"), &[request("20"), request("10")], &told(""));
}
