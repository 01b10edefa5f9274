//! The types that a reading is made of to bytes and back; those with fields of their own do it where they stand.

use super::pack::{Pack, byte, pack_struct, pack_words};
use crate::collect::back_end::{BackEndLog, Impersonation, Worker};
use crate::collect::book::{Access, Book, Client, Key, Other, Place};
use crate::collect::copies::FirstRequest;
use crate::collect::hints::{Hint, Repeat};
use crate::collect::log::{Log, Met, NEEDED};
use crate::collect::minutes::Presence;
use crate::collect::proxy::ProxyLog;
use crate::collect::tally::Counted;
use crate::correlate::Contradiction;
use crate::input::{Encoding, Packing, Stored};
use crate::read::Evidence;
use stillin_parsers::application_host::{Methods, VirtualDirectory};
use stillin_parsers::event::{
    Change, ChangeKind, Fact, Identity, Mailbox, Pos, Precision, Reason, Reject, Restart, Restarted,
};
use stillin_parsers::evidence::Tally as EvidenceTally;
use stillin_parsers::exchange::{Auth, Protocol, Refusal, Scheme, pools};
use stillin_parsers::kind::Kind;

pack_struct! {
    Access {
        account, is_ambiguous, source, line, start, is_start_known, end, key, client, name, command, refusal,
        is_claimed, auth, request_id, is_proxied, twin, contradiction, moved_data, is_back_end, sc_status,
        sc_substatus, sc_win32_status,
    }
    BackEndLog { log, presence, operations, impersonated, workers }
    Book { keys, clients, texts, accesses, nameless, others }
    Change { pos, time, precision, kind, account, actor }
    Client { device, user_agent, c_ip, forwarded, seat }
    Evidence {
        facts, restarts, logons, validations, directories, tally, rejects, columns, stored, error,
    }
    EvidenceTally { records, told, of_no_interest, validations, rejected, first, last }
    FirstRequest { line, seconds, text }
    Hint { pool, is_sure, seconds, line }
    Identity {
        sid, guid, domain, sam_account_name, user_principal_name, smtp, distinguished_name,
        former_sam_account_names, former_user_principal_names,
    }
    Impersonation { user, acted_as }
    Methods { anonymous, basic, windows, negotiate, ntlm, auth_persist_non_ntlm }
    Other { row, is_named, is_known, is_bearers, strange_sid }
    Place { source, line }
    Presence { span, minutes, probes, holes, holes_after, holes_before }
    ProxyLog { log, presence, learned, sids, targets }
    Reject { pos, reason }
    Repeat { line, between }
    Restart { pos, time, computer, what, process_id, is_by_command }
    Stored { bytes, sha256, damage }
    VirtualDirectory { pos, site, path, pool, methods }
    Worker { first, line, last }
}

pack_words! {
    Encoding { Utf8 = 0, Utf8Bom = 1, Utf16Le = 2, Utf16Be = 3, Bytes = 4 }
    Kind {
        IisW3c = 0, Httperr = 1, HttpProxy = 2, EwsLog = 3, MapiLog = 4, Evtx = 5, EventXml = 6, EventJson = 7,
        EventCsv = 8, AdCsv = 9, Ldif = 10, ReplMetadata = 11, ChangeList = 12, IisConfig = 13, Unknown = 14,
    }
    Packing { Plain = 0, Gzip = 1, Zstd = 2 }
    Auth {
        Basic = 0, Forms = 1, Ntlm = 2, Negotiate = 3, Kerberos = 4, Bearer = 5, Other = 6, None = 7,
    }
    ChangeKind {
        Disabled = 0, Enabled = 1, Prolonged = 2, Deleted = 3, PasswordChanged = 4, PasswordReset = 5,
        PasswordSet = 6, Expired = 7, LockedOut = 8, Unlocked = 9, Renamed = 10, Created = 11,
    }
    Contradiction { OtherUser = 0, OtherSid = 1 }
    Mailbox { User = 0, Linked = 1, Shared = 2, Room = 3, Equipment = 4, System = 5 }
    Precision { Exact = 0, AtLatest = 1 }
    Protocol {
        Eas = 0, Ews = 1, Rpc = 2, Mapi = 3, Owa = 4, Ecp = 5, Oab = 6, Autodiscover = 7, Powershell = 8,
        Rest = 9, Other = 10,
    }
    Refusal {
        WrongPassword = 0, Disabled = 1, Expired = 2, PasswordExpired = 3, MustChange = 4, LockedOut = 5,
        NoSuchUser = 6, Restricted = 7, Unknown = 8, Owa = 9, OwaNoSession = 10, OwaTimeout = 11, Blocked = 12,
        OwaForm = 13,
    }
    Scheme { Basic = 0, Forms = 1, BasicAndWindows = 2, Windows = 3, Unknown = 4 }
}

/// What it met is kept beside it, with what that meant.
impl Pack for Log {
    fn pack(&self, to: &mut Vec<u8>) {
        let Log { tally, columns, is_uniform, missing, noise, book, presence, .. } = self;
        let Log { addresses, namesakes, seats, hints, repeats, targets, .. } = self;
        let Log { first_request, stored, .. } = self;
        let missing: Vec<String> = missing.iter().map(|name| (*name).to_owned()).collect();
        (tally.clone(), columns.clone(), *is_uniform).pack(to);
        (missing, *noise).pack(to);
        book.pack(to);
        presence.pack(to);
        (addresses.clone(), namesakes.clone()).pack(to);
        seats.pack(to);
        (hints.clone(), repeats.clone(), targets.clone()).pack(to);
        (first_request.clone(), stored.clone()).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Log> {
        let (tally, columns, is_uniform) = Pack::unpack(from)?;
        let (missing, noise): (Vec<String>, _) = Pack::unpack(from)?;
        let known =
            |name: String| NEEDED.iter().map(|(known, _)| *known).find(|known| *known == name);
        let missing: Option<Vec<&'static str>> = missing.into_iter().map(known).collect();
        let (book, presence) = (Pack::unpack(from)?, Pack::unpack(from)?);
        let (addresses, namesakes) = Pack::unpack(from)?;
        let seats = Pack::unpack(from)?;
        let (hints, repeats, targets) = Pack::unpack(from)?;
        let (first_request, stored) = Pack::unpack(from)?;
        let (missing, met) = (missing?, Met::default());
        Some(Log {
            tally,
            columns,
            is_uniform,
            missing,
            noise,
            book,
            presence,
            addresses,
            namesakes,
            seats,
            hints,
            repeats,
            targets,
            first_request,
            stored,
            met,
            // `verify` alone asks, which reads everything itself.
            ..Log::default()
        })
    }
}

impl Pack for Counted {
    fn pack(&self, to: &mut Vec<u8>) {
        (self.lines, self.requests, self.directives, self.blank).pack(to);
        (self.rejected, self.repaired, self.nul_runs, self.line_ends).pack(to);
        (self.rejects.clone(), self.span, self.is_unordered, self.ends).pack(to);
        self.holes.pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Counted> {
        let (lines, requests, directives, blank) = Pack::unpack(from)?;
        let (rejected, repaired, nul_runs, line_ends) = Pack::unpack(from)?;
        let (rejects, span, is_unordered, ends) = Pack::unpack(from)?;
        let holes = Pack::unpack(from)?;
        Some(Counted {
            lines,
            requests,
            directives,
            blank,
            rejected,
            repaired,
            nul_runs,
            line_ends,
            rejects,
            span,
            is_unordered,
            holes,
            ends,
            ..Counted::default()
        })
    }
}

/// In words, which is all that is ever asked of it.
impl Pack for Reason {
    fn pack(&self, to: &mut Vec<u8>) {
        self.to_string().pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Reason> {
        Some(Reason::Format(String::unpack(from)?))
    }
}

impl Pack for Key {
    fn pack(&self, to: &mut Vec<u8>) {
        let Key { server, pool, protocol, scheme, name } = self;
        (server.clone(), (*pool).to_owned(), *protocol).pack(to);
        (*scheme, name.clone()).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Key> {
        let (server, pool, protocol): (_, String, _) = Pack::unpack(from)?;
        let (scheme, name) = Pack::unpack(from)?;
        let pool = pools().into_iter().chain([""]).find(|known| *known == pool)?;
        Some(Key { server, pool, protocol, scheme, name })
    }
}

impl Pack for Pos {
    fn pack(&self, to: &mut Vec<u8>) {
        (matches!(self, Pos::Record(_)), self.number()).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Pos> {
        let (is_record, number) = Pack::unpack(from)?;
        Some(if is_record { Pos::Record(number) } else { Pos::Line(number) })
    }
}

impl Pack for Restarted {
    fn pack(&self, to: &mut Vec<u8>) {
        match self {
            Restarted::Pool(pool) => (0u8, pool.clone()).pack(to),
            Restarted::Iis => (1u8, String::new()).pack(to),
            Restarted::Machine => (2u8, String::new()).pack(to),
            Restarted::Kept(pool) => (3u8, pool.clone()).pack(to),
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Restarted> {
        let (what, pool) = Pack::unpack(from)?;
        match what {
            0u8 => Some(Restarted::Pool(pool)),
            1 => Some(Restarted::Iis),
            2 => Some(Restarted::Machine),
            3 => Some(Restarted::Kept(pool)),
            _ => None,
        }
    }
}

/// Restarts, logons, validations and directories are sorted out before (see `read`): they are never among the facts.
impl Pack for Fact {
    fn pack(&self, to: &mut Vec<u8>) {
        match self {
            Fact::Change(change) => (0u8, change.clone()).pack(to),
            Fact::Account { pos, account, enabled, changed, expires, mailbox } => {
                (1u8, *pos, account.clone()).pack(to);
                (*enabled, *changed, *expires, *mailbox).pack(to);
            }
            Fact::Linked { pos, account, master } => {
                (2u8, *pos, account.clone(), master.clone()).pack(to);
            }
            Fact::UserAccountControlSet { pos, time, account, version } => {
                (3u8, *pos, *time).pack(to);
                (account.clone(), *version).pack(to);
            }
            Fact::AccountExpiresSet { pos, time, account } => {
                (4u8, *pos, *time).pack(to);
                account.pack(to);
            }
            Fact::Restart(_) | Fact::Logon(_) | Fact::Validation(_) | Fact::VirtualDirectory(_) => {
                u8::MAX.pack(to);
            }
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Fact> {
        Some(match byte(from)? {
            0 => Fact::Change(Pack::unpack(from)?),
            1 => {
                let (pos, account) = Pack::unpack(from)?;
                let (enabled, changed, expires, mailbox) = Pack::unpack(from)?;
                Fact::Account { pos, account, enabled, changed, expires, mailbox }
            }
            2 => {
                let (pos, account, master) = Pack::unpack(from)?;
                Fact::Linked { pos, account, master }
            }
            3 => {
                let (pos, time) = Pack::unpack(from)?;
                let (account, version) = Pack::unpack(from)?;
                Fact::UserAccountControlSet { pos, time, account, version }
            }
            4 => {
                let (pos, time) = Pack::unpack(from)?;
                Fact::AccountExpiresSet { pos, time, account: Pack::unpack(from)? }
            }
            _ => return None,
        })
    }
}
