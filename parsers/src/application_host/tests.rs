//! Settings by inheritance, and files that are none.

use super::*;
use crate::evidence;
use crate::kind::Kind;
use crate::time::LocalTime;
use proptest::prelude::*;

/// A site with `applications`, and `rest` behind the sites.
fn file(applications: &str, rest: &str) -> String {
    format!(
        "<configuration><system.applicationHost><sites><site name='Web' id='1'>{applications}</site></sites>\
         </system.applicationHost>{rest}</configuration>"
    )
}

fn place(path: &str, attributes: &str, settings: &str) -> String {
    format!("<location path='{path}' {attributes}>{}</location>", server(settings))
}

fn server(settings: &str) -> String {
    format!(
        "<system.webServer><security><authentication>{settings}</authentication></security></system.webServer>"
    )
}

/// Path, and what is on.
fn shown(directory: &VirtualDirectory) -> String {
    let methods = directory.methods;
    let flags = [
        (methods.anonymous, " anonymous"),
        (methods.basic, " basic"),
        (methods.windows, " windows"),
        (methods.negotiate, " negotiate"),
        (methods.ntlm, " ntlm"),
        (methods.auth_persist_non_ntlm, " persists"),
    ];
    let on: String = flags.iter().filter(|(is_on, _)| *is_on).map(|(_, word)| *word).collect();
    format!("{}:{on}", directory.path)
}

#[test]
fn the_nearest_place_wins() {
    const BASIC: &str = "<basicAuthentication enabled='true'/>";
    const NO_BASIC: &str = "<basicAuthentication enabled='false'/>";
    const BARE: &str = "<basicAuthentication/>";
    const BOTH: &str = "<windowsAuthentication enabled='true' authPersistNonNTLM='true'><providers><add \
                        value='Negotiate'/><add value='NTLM'/></providers></windowsAuthentication>";
    const CLEAR: &str = "<windowsAuthentication><providers><clear/><add value='NTLM'/></providers>\
                         </windowsAuthentication>";
    const REMOVE: &str = "<windowsAuthentication><providers><remove value='NTLM'/></providers>\
                          </windowsAuthentication>";
    let own = "inheritInChildApplications='false'";
    let check = |rest: &[String], expect: &str| {
        let text = file("<application path='/'/><application path='/EWS'/>", &rest.concat());
        let site = config(text.as_bytes()).unwrap().sites.remove(0);
        let all: Vec<_> = site.directories.iter().map(shown).collect();
        assert_eq!(all.join("; "), expect, "{rest:?}");
    };
    check(&[], "/: anonymous; /EWS: anonymous");
    check(&[server(BASIC)], "/: anonymous basic; /EWS: anonymous basic");
    check(&[place("", "", BASIC)], "/: anonymous basic; /EWS: anonymous basic");
    check(&[place("Web", "", BASIC)], "/: anonymous basic; /EWS: anonymous basic");
    check(&[place("web", own, BASIC)], "/: anonymous basic; /EWS: anonymous");
    check(&[place("WEB/ews/", "", BASIC)], "/: anonymous; /EWS: anonymous basic");
    check(&[place("Web/EWS", own, BASIC)], "/: anonymous; /EWS: anonymous basic");
    check(&[place("Web2/EWS", "", BASIC)], "/: anonymous; /EWS: anonymous");
    check(&[place("EWS", "", BASIC)], "/: anonymous; /EWS: anonymous");
    // A place that says nothing leaves it to the one above.
    check(
        &[server(BASIC), place("Web/EWS", "", BARE)],
        "/: anonymous basic; /EWS: anonymous basic",
    );
    check(&[server(BASIC), place("Web/EWS", "", NO_BASIC)], "/: anonymous basic; /EWS: anonymous");
    // What is said first and what is said last.
    check(&[place("Web/EWS", "", NO_BASIC), server(BASIC)], "/: anonymous basic; /EWS: anonymous");
    check(
        &[place("Web/EWS", "", NO_BASIC), place("Web/EWS", "", BASIC)],
        "/: anonymous; /EWS: anonymous basic",
    );
    check(
        &[place("Web/EWS/bulk", "", BASIC)],
        "/: anonymous; /EWS: anonymous; /ews/bulk: anonymous basic",
    );
    check(
        &[place("Web/EWS", own, BASIC), place("Web/EWS/bulk", "", BARE)],
        "/: anonymous; /EWS: anonymous basic; /ews/bulk: anonymous basic",
    );
    check(
        &[server(BOTH), place("Web/EWS", "", CLEAR)],
        "/: anonymous windows negotiate ntlm persists; /EWS: anonymous windows ntlm persists",
    );
    check(
        &[server(BOTH), place("Web/EWS", "", REMOVE)],
        "/: anonymous windows negotiate ntlm persists; /EWS: anonymous windows negotiate persists",
    );
    // Elements of that name elsewhere are none of IIS's settings.
    check(&[BASIC.to_owned()], "/: anonymous; /EWS: anonymous");
}

#[test]
fn the_back_end_is_told_by_its_ports() {
    let check = |name: &str, ports: &[u16], expect| {
        let site = Site { name: name.into(), ports: ports.to_vec(), ..Site::default() };
        assert_eq!(site.is_back_end(), expect, "{name} {ports:?}");
    };
    check("Default Web Site", &[80, 443], false);
    check("Exchange Back End", &[81, 444], true);
    check("exchange back end", &[], true);
    check("OWA External", &[444], true);
    check("Exchange Back End", &[443], false);
    check("Web", &[444, 443], false);
    check("Web", &[], false);
}

#[test]
fn one_place_and_one_cure_for_a_broken_file() {
    let check = |text: &str, line: u64, expect: &str| {
        let Reject { pos, reason } = config(text.as_bytes()).unwrap_err();
        assert_eq!(pos, Pos::Line(line), "{text}");
        let (what, cure) =
            reason.to_string().split_once("; ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(what.starts_with(expect), "{text}: {what}");
        assert_eq!(cure, r"copy it again, from %windir%\System32\inetsrv\config");
    };
    check("", 1, "cut short");
    check("<configuration>\n<system.webServer>\n", 3, "cut short");
    check("<configuration>\n<a>\n</b>\n</configuration>", 3, "XML: ");
    check("<configuration>\n</configuration>\n<configuration/>", 3, "another document follows");
    check("<configuration/>", 1, "names no site");
    let site = |inner: &str| {
        format!(
            "<configuration><system.applicationHost>\n<sites>\n{inner}</sites></system.applicationHost></configuration>"
        )
    };
    check(&site(""), 3, "names no site");
    check(&site("<site id='1'/>"), 3, "<site> has no name");
    check(&site("<site name='a'/>"), 3, "<site> has no id");
    check(&site("<site name='a' id='one'/>"), 3, "the id of a site is no number");
    check(&site("<site name='a' id='1'/>\n<site name='A' id='2'/>"), 4, "two sites");
    check(&site("<site name='a' id='1'/>\n<site name='b' id='1'/>"), 4, "two sites");
    check(&site("<site name='a' id='1'>\n<application/></site>"), 4, "<application> has no path");
    check(&site(&format!("<site name='{}' id='1'/>", "a".repeat(261))), 3, "a path or a name is");
    check(
        &site(
            "<site name='a' id='1'><bindings>\n<binding protocol='http' bindingInformation='x'/>",
        ),
        4,
        "bindingInformation has no port",
    );
    check(
        &file("", &server("\n<basicAuthentication enabled='1'/>")),
        2,
        "enabled is neither true nor false",
    );
    check(&file("<application path='&bomb;'/>", ""), 1, "XML: ");
    check(&file("<application path='/a'/><application path='/A/'/>", ""), 1, "two applications");
}

#[test]
fn sniffed_by_root_and_sites() {
    assert!(sniff(file("", "").as_bytes()));
    assert!(!sniff(b"<configuration><system.webServer/></configuration>"));
    assert!(!sniff(b"{\"text\": \"<configuration><system.applicationHost>\"}"));
    assert!(!sniff(b""));
}

/// Pieces of such a file in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        prop::sample::select(vec![
            "<configuration>",
            "</configuration>",
            "<system.applicationHost><sites>",
            "</sites></system.applicationHost>",
            "<site name='Web' id='1'>",
            "</site>",
            "<application path='/EWS' applicationPool='P'/>",
            "<location path='Web/EWS'>",
            "</location>",
            "<system.webServer><security><authentication>",
            "</authentication></security></system.webServer>",
            "<basicAuthentication enabled='true'/>",
            "<windowsAuthentication enabled='",
            "&#x41;",
            "<!--",
            "\n",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Nothing panics; a file is read whole or it is one reject.
    #[test]
    fn any_bytes_are_counted_and_none_panics(bytes in pieces()) {
        let _ = sniff(&bytes);
        let (mut told, mut rejects) = (0, 0);
        let tally = evidence::facts(Kind::IisConfig, &bytes, &LocalTime::default(), &mut |fact| match fact {
            Ok(_) => told += 1,
            Err(_) => rejects += 1,
        });
        prop_assert_eq!(tally.records, tally.told + tally.of_no_interest + tally.rejected);
        prop_assert_eq!((tally.told, tally.rejected), (told, rejects));
        prop_assert!(tally.rejected <= 1 && (tally.rejected == 0 || tally.records == 1));
    }

    /// A file that ends early is never taken for a whole one.
    #[test]
    fn no_part_of_a_file_is_a_file(share in 0.0..1.0_f64) {
        let text = file("<application path='/EWS'/>", &server("<basicAuthentication enabled='true'/>"));
        let end = (text.len() as f64 * share) as usize;
        prop_assert!(config(&text.as_bytes()[..end]).is_err());
    }
}
