//! Which configuration holds where, and when none does.

use super::*;
use chrono::DateTime;
use stillin_parsers::application_host::Methods;
use stillin_parsers::event::Pos;

const EAS: &str = "/Microsoft-Server-ActiveSync";
const SYNC: &str = "MSExchangeSyncAppPool";
const SERVICES: &str = "MSExchangeServicesAppPool";

/// A directory, in Exchange's own pool, that takes what the letters say: `b` Basic, `w` Windows authentication.
fn directory(path: &str, takes: &str) -> VirtualDirectory {
    let pool = route(path.as_bytes()).pool.to_lowercase();
    let [basic, windows] = ["b", "w"].map(|letter| takes.contains(letter));
    let methods = Methods { basic, windows, ..Methods::default() };
    let (site, path) = ("Default Web Site".into(), path.into());
    VirtualDirectory { pos: Pos::Line(7), site, path, pool, methods }
}

/// A request of somebody, by server and path.
fn request(book: &mut Book, server: &str, path: &str) -> Access {
    let route = route(path.as_bytes());
    let key = book.keys.number(Key {
        server: server.into(),
        pool: route.pool,
        protocol: route.protocol,
        scheme: route.scheme,
        name: "fabrikam\\ada".into(),
    });
    let time = DateTime::from_timestamp(1_772_442_000, 0).unwrap();
    Access { key, name: Some(0), ..Access::served(time) }
}

/// EAS and EWS on two servers, under these configurations: the scheme of each, `-` for the default.
fn settled(
    told: &[Told],
    read: &[(&str, &[VirtualDirectory])],
    fallback: Option<&str>,
) -> (String, Vec<String>) {
    let mut book = Book::default();
    for (server, path) in [("EX01", EAS), ("EX01", "/EWS"), ("EX02", EAS), ("EX02", "/EWS")] {
        let access = request(&mut book, server, path);
        book.accesses.push(access);
    }
    with(&book, told, read, fallback)
}

fn with(
    book: &Book,
    told: &[Told],
    read: &[(&str, &[VirtualDirectory])],
    fallback: Option<&str>,
) -> (String, Vec<String>) {
    let read = read.iter().enumerate();
    let read: Vec<_> = read
        .map(|(source, &(path, directories))| Configuration { source, path, directories })
        .collect();
    let servers = BTreeSet::from(["EX01", "EX02"]);
    let Settings { of_key, notes } = settings(told, &read, &servers, fallback, book);
    let word = |setting: &Option<Setting>| match setting {
        None => "-".to_owned(),
        Some(Setting { scheme: Scheme::Unknown, .. }) => "neither".to_owned(),
        Some(Setting { scheme, by: By::Option }) => format!("{}!", scheme.word()),
        Some(Setting { scheme, .. }) => scheme.word().to_owned(),
    };
    (of_key.iter().map(word).collect::<Vec<_>>().join(" "), notes)
}

#[test]
fn a_configuration_holds_for_its_server() {
    let basic = [directory(EAS, "bw"), directory("/EWS", "bw")];
    let check = |path: &str, fallback, expect: &str, n_notes: usize| {
        let (got, notes) = settled(&[], &[(path, &basic)], fallback);
        assert_eq!((got.as_str(), notes.len()), (expect, n_notes), "{path} {notes:?}");
    };
    let (one, two) = ("basic+windows basic+windows - -", "- - basic+windows basic+windows");
    let all = "basic+windows basic+windows basic+windows basic+windows";
    check("evidence/EX01/applicationHost.config", None, one, 0);
    check("evidence/ex02.fabrikam.example/config/applicationHost.config", None, two, 0);
    check("EX01/backup/EX02/a.config", None, two, 0);
    check("all.zip!EX01/a.config", None, one, 0);
    check("evidence\\EX02.zip!a.config", None, two, 0);
    check("evidence/a.config", None, all, 1);
    // Of that server there are no logs.
    check("EX03/a.config", None, all, 1);
    check("evidence/a.config", Some("ex02.fabrikam.example"), two, 0);
    check("evidence/EX01", None, all, 1);
}

#[test]
fn of_several_configurations_each_needs_a_server() {
    let windows = [directory(EAS, "w"), directory("/EWS", "w")];
    let basic = [directory(EAS, "b"), directory("/EWS", "w")];
    let (got, notes) = settled(&[], &[("EX01/a", &windows), ("b", &basic)], None);
    assert_eq!(got, "windows windows - -");
    assert!(notes[0].starts_with("b: no folder names its server, and it is not the only one"));
    let (got, notes) = settled(&[], &[("EX01/a", &windows), ("EX02/b", &basic)], None);
    assert_eq!((got.as_str(), notes.len()), ("windows windows basic windows", 0));
    // Two of one server: what they agree on stands.
    let (got, notes) =
        settled(&[], &[("EX01/a", &windows), ("EX01/b", &basic), ("EX01/c", &windows)], None);
    assert_eq!(got, "- windows - -");
    assert_eq!(
        notes,
        [
            "EX01/b: says of MSExchangeSyncAppPool other than EX01/a, so neither is used for it; leave out the older one"
        ]
    );
}

#[test]
fn a_pool_takes_what_one_of_its_directories_takes() {
    let check = |directories: &[(&str, &str)], expect: &[(&str, Scheme)]| {
        let all: Vec<_> = directories.iter().map(|(path, takes)| directory(path, takes)).collect();
        let got: Vec<_> = taken(&all).into_iter().collect();
        assert_eq!(got, expect, "{directories:?}");
    };
    check(&[(EAS, "b")], &[(SYNC, Scheme::Basic)]);
    check(&[("/EWS", "w"), ("/EWS/bulk", "b")], &[(SERVICES, Scheme::BasicAndWindows)]);
    check(&[("/EWS", "")], &[(SERVICES, Scheme::Unknown)]);
    let rpc = "MSExchangeRpcProxyFrontEndAppPool";
    check(&[("/rpc", "w"), ("/RpcWithCert", "b")], &[(rpc, Scheme::BasicAndWindows)]);
    let owa = "MSExchangeOWAAppPool";
    check(&[("/owa", "b"), ("/owa/Integrated", "w"), ("/owa/auth", "")], &[(owa, Scheme::Forms)]);
    check(&[("/owa", "bw")], &[(owa, Scheme::BasicAndWindows)]);
    check(&[("/owa", ""), ("/owa/Integrated", "w")], &[(owa, Scheme::Unknown)]);
}

#[test]
fn the_option_wins_everywhere() {
    let windows = [directory(EAS, "w"), directory("/EWS", "w")];
    let told = [(SERVICES, Scheme::BasicAndWindows)];
    let (got, notes) = settled(&told, &[("EX01/a", &windows)], None);
    assert_eq!((got.as_str(), notes.len()), ("windows basic+windows! - basic+windows!", 0));
}

#[test]
fn what_a_log_refutes_is_not_used() {
    type Change = fn(&mut Access);
    let check = |path: &str, change: Change, scheme: Scheme, is_used: bool| {
        let mut book = Book::default();
        let mut access = request(&mut book, "EX01", path);
        change(&mut access);
        book.accesses.push(access);
        let pool = route(path.as_bytes()).pool;
        let (got, notes) = with(&book, &[(pool, scheme)], &[], None);
        // What is told ends in a sign of its own here; what other requests show does not.
        assert_eq!(
            (got.ends_with('!'), notes.len()),
            (is_used, usize::from(!is_used)),
            "{path} {scheme:?} {notes:?}"
        );
    };
    let none: Change = |_| ();
    let basic: Change = |access| access.auth = Auth::Basic;
    let ntlm: Change = |access| access.auth = Auth::Ntlm;
    let bearer: Change = |access| access.auth = Auth::Bearer;
    let refused: Change = |access| {
        access.refusal = Some(Refusal::WrongPassword);
        (access.sc_status, access.sc_substatus, access.sc_win32_status) =
            (401, Some(1), Some(1326));
    };
    let handshake: Change = |access| {
        access.refusal = Some(Refusal::Unknown);
        (access.sc_status, access.sc_substatus) = (401, Some(1));
        access.sc_win32_status = Some(0x8009_030c);
    };
    let nameless: Change = |access| {
        access.refusal = Some(Refusal::WrongPassword);
        (access.sc_status, access.sc_substatus, access.sc_win32_status) =
            (401, Some(1), Some(1326));
        access.name = None;
    };
    let back_end: Change = |access| {
        access.auth = Auth::Negotiate;
        access.is_back_end = true;
    };
    let form: Change = |access| access.refusal = Some(Refusal::Owa);
    check("/EWS", none, Scheme::Windows, true);
    check("/EWS", basic, Scheme::Windows, false);
    check("/EWS", basic, Scheme::BasicAndWindows, true);
    check("/EWS", ntlm, Scheme::Windows, true);
    check("/EWS", bearer, Scheme::Windows, true);
    check("/EWS", refused, Scheme::Windows, false);
    check("/EWS", refused, Scheme::Basic, true);
    check("/EWS", handshake, Scheme::Windows, true);
    check("/EWS", nameless, Scheme::Windows, true);
    check(EAS, ntlm, Scheme::Basic, false);
    check(EAS, back_end, Scheme::Basic, true);
    check("/owa", form, Scheme::Unknown, false);
    check("/owa", ntlm, Scheme::Forms, true);
}

#[test]
fn a_pool_of_another_name_is_told() {
    let mut rpc = directory("/rpc", "bw");
    rpc.pool = "DefaultAppPool".into();
    let all = [directory("/EWS", "w"), rpc];
    let read = Configuration { source: 0, path: "EX01/a.config", directories: &all };
    assert_eq!(
        other_pools(&read),
        ["EX01/a.config:7: /rpc runs in the pool DefaultAppPool, and is told here as \
          MSExchangeRpcProxyFrontEndAppPool: recycle the one it runs in"]
    );
}

/// Exchange's default is Basic alone; a ticket seen there says that it is not, and nothing of the other pools.
#[test]
fn what_is_shown_is_more_than_the_default() {
    let mut book = Book::default();
    for (server, path) in [("EX01", EAS), ("EX01", "/EWS"), ("EX02", EAS)] {
        let access = request(&mut book, server, path);
        book.accesses.push(access);
    }
    let shown = request(&mut book, "EX01", EAS);
    book.accesses.push(Access { auth: Auth::Negotiate, ..shown });
    let (got, notes) = with(&book, &[], &[], None);
    assert_eq!((got.as_str(), notes.len()), ("basic+windows - -", 0));
    // A copy of the configuration from before it was switched on.
    let (got, notes) = with(&book, &[], &[("EX01/a", &[directory(EAS, "b")])], None);
    assert_eq!((got.as_str(), notes.len()), ("basic+windows - -", 1));
}
