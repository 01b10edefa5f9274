//! Zip archives, sound, damaged and hostile.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

fn pack(method: &str, members: &[(&str, &[u8])]) -> Vec<u8> {
    let method = match method {
        "stored" => CompressionMethod::Stored,
        _ => CompressionMethod::Deflated,
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(super) fn archive(scratch: &Scratch, method: &str, members: &[(&str, &[u8])]) -> PathBuf {
    scratch.write("a.zip", &pack(method, members))
}

/// The places in the headers of all members, local and central, of a field that lies there.
fn fields(zip: &[u8], in_local: usize, in_central: usize) -> Vec<usize> {
    (0..zip.len() - 4)
        .filter_map(|at| match &zip[at..at + 4] {
            b"PK\x03\x04" => Some(at + in_local),
            b"PK\x01\x02" => Some(at + in_central),
            _ => None,
        })
        .collect()
}

fn expanded(scratch: &Scratch, zip: &[u8]) -> (Vec<Source>, Vec<String>) {
    let path = scratch.write("a.zip", zip);
    let (members, problems) = expand(vec![source(&path)]);
    let prefix = format!("{}/", scratch.0.to_string_lossy().replace('\\', "/"));
    let said = problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect();
    (members, said)
}

fn names(scratch: &Scratch, sources: &[Source]) -> Vec<String> {
    let prefix = format!("{}/", scratch.0.to_string_lossy().replace('\\', "/"));
    sources.iter().map(|source| source.path.replace(&prefix, "")).collect()
}

#[test]
fn members_are_sources_in_order() {
    let scratch = Scratch::new();
    let members: [(&str, &[u8]); 5] = [
        ("W3SVC1\\u_ex2.log", b"2"),
        ("EX02/u_ex1.log", b"1"),
        ("../../out", b"3"),
        ("EX01/", b""),
        (".hidden", b"4"),
    ];
    // Told by content: the name says nothing.
    let zip = scratch.write("evidence.txt", &pack("deflated", &members));
    let plain = scratch.write("b.log", b"x");
    let (sources, problems) = expand(vec![source(&zip), source(&plain)]);
    assert_eq!(problems, []);
    let expect = [
        "b.log",
        "evidence.txt!../../out",
        "evidence.txt!.hidden",
        "evidence.txt!EX02/u_ex1.log",
        "evidence.txt!W3SVC1/u_ex2.log",
    ];
    assert_eq!(names(&scratch, &sources), expect);
    let texts: Vec<Vec<u8>> =
        sources.iter().map(|source| drain(open(source, Hash::Sha256).unwrap()).0).collect();
    assert_eq!(texts, [b"x", b"3", b"4", b"1", b"2"]);
    // Expanding once more changes nothing.
    assert_eq!(names(&scratch, &expand(sources).0), expect);
}

#[test]
fn members_that_cannot_be_read_are_problems() {
    let scratch = Scratch::new();
    let zip = pack("deflated", &[("a", b"aaaa"), ("b", b"bbbb")]);

    let mut encrypted = zip.clone();
    for at in fields(&zip, 6, 8) {
        encrypted[at] |= 1;
    }
    let (members, said) = expanded(&scratch, &encrypted);
    assert!(members.is_empty());
    let expect = ["a.zip!a: encrypted", "a.zip!b: encrypted"];
    assert!(said.len() == 2 && said.iter().zip(expect).all(|(s, e)| s.starts_with(e)), "{said:?}");

    let mut deflate64 = zip.clone();
    // Only the second member: local, local, central, central.
    for n in [1, 3] {
        deflate64[fields(&zip, 8, 10)[n]] = 9;
    }
    let (members, said) = expanded(&scratch, &deflate64);
    assert_eq!(names(&scratch, &members), ["a.zip!a"]);
    // Windows writes to no file that is mapped.
    drop(members);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("a.zip!b: packed with Deflate64, which"), "{said:?}");

    let (members, said) = expanded(&scratch, &pack("deflated", &[]));
    assert!(members.is_empty() && said[0].starts_with("a.zip: the zip archive holds no files"));

    let (members, said) = expanded(&scratch, &zip[..zip.len() - 30]);
    assert!(
        members.is_empty() && said[0].starts_with("a.zip: not a sound zip archive"),
        "{said:?}"
    );

    let twice = pack("stored", &[("aa", b"1"), ("ab", b"2")]);
    let mut same = twice.clone();
    for at in fields(&twice, 31, 47) {
        same[at] = b'a';
    }
    let (members, said) = expanded(&scratch, &same);
    assert_eq!(names(&scratch, &members), ["a.zip!aa"]);
    assert!(said[0].contains("several members of one name"), "{said:?}");
}

#[test]
fn a_damaged_member_costs_that_member() {
    let scratch = Scratch::new();
    let text = log(3000);
    let members: [(&str, &[u8]); 2] = [("a", text.as_bytes()), ("b", b"sound")];
    for method in ["stored", "deflated"] {
        let mut zip = pack(method, &members);
        let middle = zip.len() / 2;
        zip[middle] ^= 0x55;
        let (sources, said) = expanded(&scratch, &zip);
        assert!(said.is_empty(), "{said:?}");
        let (_, known) = drain(open(&sources[0], Hash::Sha256).unwrap());
        assert!(known.damage.is_some(), "{method}");
        assert_eq!(known.sha256, None, "{method}: not all of it could be read");
        let (got, known) = drain(open(&sources[1], Hash::Sha256).unwrap());
        assert_eq!((got, known.damage), (b"sound".to_vec(), None));
    }
}

/// The list says 10 bytes, the member has more: no more than it says is taken in.
#[test]
fn a_member_is_held_against_the_list() {
    let scratch = Scratch::new();
    for (size, expect) in [(10, "longer than the archive says"), (4_000_000, "cut short")] {
        let mut zip = pack("deflated", &[("a", &vec![b'x'; 1 << 20])]);
        for at in fields(&zip.clone(), 22, 24) {
            zip[at..at + 4].copy_from_slice(&u32::to_le_bytes(size));
        }
        let (sources, said) = expanded(&scratch, &zip);
        assert!(said.is_empty(), "{said:?}");
        let (got, known) = drain(open(&sources[0], Hash::Sha256).unwrap());
        assert!(got.len() <= 1 << 20);
        assert!(known.damage.as_ref().is_some_and(|damage| damage.contains(expect)), "{known:?}");
    }
}

#[test]
fn an_archive_in_an_archive_is_refused() {
    let scratch = Scratch::new();
    let inner = pack("stored", &[("a", b"x")]);
    let (sources, said) = expanded(&scratch, &pack("stored", &[("inner.zip", &inner)]));
    assert!(said.is_empty());
    let error = open(&sources[0], Hash::Sha256).unwrap_err().to_string();
    assert!(error.starts_with("a zip archive inside another file"), "{error}");
}

/// Every cut and many a changed byte: never a panic, and what comes out is bounded by what is said to be there.
#[test]
fn hostile_archives_do_not_panic() {
    let scratch = Scratch::new();
    let zip = pack("deflated", &[("a", b"some text, some text, some text"), ("b/c", b"x")]);
    let mut cases: Vec<Vec<u8>> = (0..zip.len()).map(|cut| zip[..cut].to_vec()).collect();
    for at in 0..zip.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut case = zip.clone();
            case[at] ^= flip;
            cases.push(case);
        }
    }
    for case in cases {
        let (sources, _) = expanded(&scratch, &case);
        for source in sources {
            if let Ok(opened) = open(&source, Hash::Sha256) {
                assert!(drain(opened).0.len() <= 1 << 20);
            }
        }
    }
}
