//! One row of the back end's own logs of EWS and MAPI to what the front end does not know of the request (DOMAIN.md
//! 3.2). Such a row is no request in its own right where the front end has one with the same id.

use super::is_absent;
use crate::exchange_log::{Column, Row};

/// The account that was authenticated: `DOMAIN\sam`, UPN or address.
pub fn user<'a>(row: &Row<'a>) -> Option<&'a [u8]> {
    let is_false = |flag: &[u8]| !flag.eq_ignore_ascii_case(b"true");
    if row.value(Column::IsAuthenticated).is_some_and(is_false) {
        return None;
    }
    let names = [Column::AuthenticatedUser, Column::Upn, Column::AuthenticatedUserEmail];
    let name = names.iter().filter_map(|&column| row.present(column)).next()?;
    (!is_absent(name) && !name.eq_ignore_ascii_case(b"Anonymous")).then_some(name)
}

/// The user whose rights EWS used: `ImpersonatedUser`, where it is another text than the [`user`].
///
/// EWS fills that column of every request, so it may be the same account in another spelling. Only where the two are
/// two accounts is the authenticated one a service that acts for its owner.
pub fn acted_as<'a>(row: &Row<'a>) -> Option<&'a [u8]> {
    let name = row.present(Column::ImpersonatedUser)?;
    let is_user = user(row).is_some_and(|user| user.eq_ignore_ascii_case(name));
    (!is_user).then_some(name)
}

/// What the client wanted: `SoapAction` of EWS, `RequestType` of MAPI (`Connect`, `Execute`, `NotificationWait`,
/// `Disconnect`), which HttpProxy has as well, behind `RT:`.
pub fn operation<'a>(row: &Row<'a>) -> Option<&'a [u8]> {
    let told = row.present(Column::SoapAction).or_else(|| row.present(Column::RequestType));
    let mut pieces = row.text(Column::ClientRequestId).split(|&byte| byte == b';');
    told.or_else(|| pieces.find_map(|piece| piece.strip_prefix(b"RT:")))
        .filter(|operation| !operation.is_empty())
}

/// The worker process of the back end.
pub fn process_id(row: &Row<'_>) -> Option<u64> {
    row.number_in(Column::ProcessId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange_log::{State, scan};

    fn check(header: &str, cells: &str, expect: [&str; 3]) {
        let mut n_rows = 0;
        let log = format!("{header}\n{cells}\n");
        scan(log.as_bytes(), &State::default(), |row| {
            let said = [user(row), acted_as(row), operation(row)];
            let said = said.map(|text| str::from_utf8(text.unwrap_or_default()).unwrap());
            assert_eq!(said, expect, "{cells}");
            n_rows += 1;
        });
        assert_eq!(n_rows, 1, "{cells}");
    }

    #[test]
    fn rows_of_ews() {
        let header = "DateTime,IsAuthenticated,AuthenticatedUser,SoapAction,HttpStatus,ImpersonatedUser,ProcessId";
        for (cells, expect) in [
            (
                "true,FAB\\svc,GetItem,200,ada@fabrikam.example,9716",
                ["FAB\\svc", "ada@fabrikam.example", "GetItem"],
            ),
            (
                "true,ada@fabrikam.example,Ping,200,ADA@fabrikam.example,9716",
                ["ada@fabrikam.example", "", "Ping"],
            ),
            ("true,FAB\\svc,,200,,", ["FAB\\svc", "", ""]),
            ("false,FAB\\svc,GetItem,401,,9716", ["", "", "GetItem"]),
        ] {
            check(header, &format!("2026-03-02T08:00:01.250Z,{cells}"), expect);
        }
        let log = format!("{header}\n2026-03-02T08:00:01Z,true,a,b,200,,0009716\n");
        scan(log.as_bytes(), &State::default(), |row| assert_eq!(process_id(row), Some(9716)));
    }

    #[test]
    fn rows_of_mapi() {
        let header = "DateTime,MapiRequestId,RequestType,HttpStatusCode,AuthenticatedUserEmail,UPN,AuthenticatedUser";
        for (cells, expect) in [
            (
                "{x}:1,Execute,200,a@fabrikam.example,u@fabrikam.example,FAB\\ada",
                ["FAB\\ada", "", "Execute"],
            ),
            (
                "{x}:1,Connect,200,a@fabrikam.example,u@fabrikam.example,",
                ["u@fabrikam.example", "", "Connect"],
            ),
            ("{x}:1,Connect,200,a@fabrikam.example,,", ["a@fabrikam.example", "", "Connect"]),
            ("{x}:1,Connect,200,a@fabrikam.example,,Anonymous", ["", "", "Connect"]),
        ] {
            check(header, &format!("2026-03-02T08:00:01.250Z,{cells}"), expect);
        }
        let header = "DateTime,ClientRequestId,IsAuthenticated,AuthenticatedUser,HttpStatus";
        let id = "R:1b7dabb2-cd5b-4ce0-a65d-b25915e598cf:2;RT:NotificationWait;CI:1:1";
        let cells = format!("2026-03-02T08:00:01.250Z,{id},true,FAB\\ada,200");
        check(header, &cells, ["FAB\\ada", "", "NotificationWait"]);
    }
}
