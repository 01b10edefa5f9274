//! Files as they come, and as they go wrong, written into a scratch folder.

// What is skipped is said, and children answer their parents.
#![allow(clippy::print_stdout, clippy::print_stderr)]

// Windows has no SIGBUS.
#[cfg(unix)]
mod guard;
#[cfg(windows)]
mod windows;
mod zips;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::source::sources;

/// A folder of one test, gone with it.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        static N: AtomicUsize = AtomicUsize::new(0);
        let n = N.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("stillin-input-{}-{n}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a test of this program in a process of its own, which is told so by `STILLIN_CHILD`.
fn child(test: &str) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("input::tests::{test}"), "--nocapture"]);
    command.env("STILLIN_CHILD", "1");
    command
}

fn is_child() -> bool {
    std::env::var_os("STILLIN_CHILD").is_some()
}

fn source(path: &Path) -> Source {
    let (mut found, problems) = sources(&[path.to_path_buf()]);
    assert!(problems.is_empty(), "{problems:?}");
    found.pop().unwrap()
}

fn open_path(path: &Path) -> Opened {
    open(&source(path), Hash::Sha256).unwrap()
}

/// All that a consumer of logs sees: the text, and how it ended. Read in odd pieces.
fn drain(opened: Opened) -> (Vec<u8>, Stored) {
    let mut text = Vec::new();
    match opened.body {
        Body::Mapped(map) => {
            text.extend_from_slice(&map);
            let sha256 = map.sha256();
            let damage = sha256.as_ref().err().map(|error| error.to_string());
            let bytes = map.stored().len() as u64;
            (text, Stored { bytes, sha256: sha256.ok(), damage })
        }
        Body::Stream(mut stream) => {
            let mut piece = [0; 8191];
            loop {
                match stream.read(&mut piece) {
                    Ok(0) => break,
                    Ok(n) => text.extend_from_slice(&piece[..n]),
                    Err(_) => {
                        assert_eq!(stream.read(&mut piece).unwrap(), 0, "nothing after an error")
                    }
                }
            }
            (text, stream.finish())
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn halves(bytes: &[u8], pack: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (a, b) = bytes.split_at(bytes.len() / 2);
    [pack(a), pack(b)].concat()
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2], mark: &[u8]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(to_bytes)).collect()
}

/// Lines that differ, with letters of one to four bytes, so that a block can end within any of them.
fn log(n_lines: usize) -> String {
    let mut text = String::from("#Software: Microsoft Internet Information Services 10.0\r\n");
    for n in 0..n_lines {
        text.push_str(&format!(
            "2026-03-02 10:00:00 FABRIKAM\\jürgen{n} /owa/ €{n} 😀 {}\r\n",
            n * n
        ));
    }
    text
}

#[test]
fn every_packing_of_every_encoding_gives_the_same_text() {
    let scratch = Scratch::new();
    for text in [log(1), log(9000)] {
        let ansi: Vec<u8> = [text.as_bytes(), b"caf\xe9 \x80\xff\r\n"].concat();
        let ansi_first = [b"caf\xe9\r\n", text.as_bytes()].concat();
        let le = u16::to_le_bytes;
        let be = u16::to_be_bytes;
        let is_long = text.len() > HEAD;
        let ansi_word = if is_long { Encoding::Utf8 } else { Encoding::Bytes };
        let encodings: Vec<(Vec<u8>, Encoding, &[u8])> = vec![
            (text.clone().into_bytes(), Encoding::Utf8, text.as_bytes()),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), Encoding::Utf8Bom, text.as_bytes()),
            (utf16(&text, le, b"\xff\xfe"), Encoding::Utf16Le, text.as_bytes()),
            (utf16(&text, be, b"\xfe\xff"), Encoding::Utf16Be, text.as_bytes()),
            (utf16(&text, le, b""), Encoding::Utf16Le, text.as_bytes()),
            (ansi.clone(), ansi_word, &ansi),
            (ansi_first.clone(), Encoding::Bytes, &ansi_first),
        ];
        for (bytes, encoding, expect) in &encodings {
            let packings = [
                (bytes.clone(), Packing::Plain),
                (gzip(bytes), Packing::Gzip),
                (halves(bytes, gzip), Packing::Gzip),
                (zstd(bytes), Packing::Zstd),
                (halves(bytes, zstd), Packing::Zstd),
                ([b"\x50\x2a\x4d\x18\x02\0\0\0hi".to_vec(), zstd(bytes)].concat(), Packing::Zstd),
            ];
            for (stored, packing) in packings {
                let path = scratch.write("any.name", &stored);
                let opened = open_path(&path);
                let case = format!("{packing} {encoding} {}", text.len());
                assert_eq!((opened.packing, opened.encoding), (packing, *encoding), "{case}");
                assert_eq!(opened.stored_bytes, stored.len() as u64, "{case}");
                assert!(expect.starts_with(&opened.head), "{case}: head");
                assert!(opened.head.len() + 3 >= HEAD.min(expect.len()), "{case}: head");
                let is_mapped = matches!(opened.body, Body::Mapped(_));
                let is_utf16 = matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be);
                assert_eq!(is_mapped, packing == Packing::Plain && !is_utf16, "{case}");
                let want = Stored {
                    bytes: stored.len() as u64,
                    sha256: Some(sha256(&stored)),
                    damage: None,
                };
                let (got, known) = drain(opened);
                assert!(got == *expect, "{case}: text");
                assert_eq!(known, want, "{case}");
                let whole = open_path(&path).whole().unwrap();
                assert!(*whole == **expect, "{case}: whole");
                assert_eq!(whole.stored(Hash::Sha256), want, "{case}: whole");
            }
            // The same inside an archive, and packed once more there.
            for (name, stored) in
                [("plain", bytes.clone()), ("gz", gzip(bytes)), ("zst", zstd(bytes))]
            {
                for method in ["stored", "deflated"] {
                    let path = zips::archive(&scratch, method, &[("EX01/x", &stored)]);
                    let (members, problems) = expand(vec![source(&path)]);
                    assert_eq!(problems, []);
                    let (got, known) = drain(open(&members[0], Hash::Sha256).unwrap());
                    assert!(got == *expect, "{name} {method} {encoding}");
                    assert_eq!(known.sha256, Some(sha256(&stored)));
                    assert_eq!((known.bytes, known.damage), (stored.len() as u64, None));
                }
            }
        }
    }
}

#[test]
fn no_hash_unless_asked() {
    let scratch = Scratch::new();
    for stored in [log(3).into_bytes(), gzip(log(3).as_bytes())] {
        let path = scratch.write("a", &stored);
        let whole = open(&source(&path), Hash::None).unwrap().whole().unwrap();
        let want = Stored { bytes: stored.len() as u64, sha256: None, damage: None };
        assert_eq!(whole.stored(Hash::None), want);
    }
}

#[test]
fn sha256_is_the_standards() {
    // FIPS 180-2, appendix B.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256(b"abc"), abc);
    let mut reader = stream::HashingReader::new(&b"abc"[..], Hash::Sha256);
    io::copy(&mut reader, &mut io::sink()).unwrap();
    assert_eq!((reader.n_bytes(), reader.take_sha256()), (3, Some(abc.to_string())));
}

/// Whatever is cut off, what stands before comes out, then an error, and the hash is of what is there.
#[test]
fn cut_or_followed_by_garbage() {
    let scratch = Scratch::new();
    let text = log(20_000);
    for (pack, word) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zstd, "zstd")] {
        let packed = pack(text.as_bytes());
        let len = packed.len();
        assert!(len > 100_000);
        for cut in [5, 30, len / 3, len / 2, len - 9, len - 1] {
            let stored = &packed[..cut];
            let (got, known) = drain(open_path(&scratch.write("cut", stored)));
            assert!(text.as_bytes().starts_with(&got), "{word} {cut}");
            let want = if cut < 100 { 0 } else { got.len().max(text.len() * cut / len / 2) };
            assert!(got.len() >= want, "{word} {cut}: {} bytes", got.len());
            assert_eq!(known.sha256, Some(sha256(stored)), "{word} {cut}");
            let damage = known.damage.unwrap();
            assert!(damage.contains(&format!("{word} data is cut short")), "{cut}: {damage}");
            let whole = open_path(&scratch.0.join("cut")).whole().unwrap();
            assert!(*whole == *got, "{word} {cut}");
            assert_eq!(whole.stored(Hash::Sha256).damage.unwrap(), damage);
        }
        let stored =
            [&packed[..], &b"and more, that is nothing of the kind".repeat(40_000)].concat();
        let (got, known) = drain(open_path(&scratch.write("more", &stored)));
        assert!(got == text.as_bytes(), "{word}");
        assert_eq!(known.sha256, Some(sha256(&stored)));
        assert!(known.damage.unwrap().contains("followed by something else"), "{word}");

        let mut stored = packed.clone();
        for byte in &mut stored[len / 2..len / 2 + 9] {
            *byte = !*byte;
        }
        let (got, known) = drain(open_path(&scratch.write("flip", &stored)));
        assert!(got.len() < text.len() || got != text.as_bytes());
        assert!(known.damage.is_some(), "{word}");
        assert_eq!(known.sha256, Some(sha256(&stored)));
    }
}

#[test]
fn bombs_end_with_an_error() {
    let scratch = Scratch::new();
    let path = scratch.write("zeros", &gzip(&vec![b'x'; 3 << 20]));
    let error = open_path(&path).whole_within(2 << 20).unwrap_err();
    assert!(error.to_string().contains("more than 2097152 bytes when unpacked"), "{error}");
    assert_eq!(open_path(&path).whole_within(3 << 20).unwrap().len(), 3 << 20);

    // Deflate alone cannot pass the ratio, Zstandard can.
    let path = scratch.write("zeros", &zstd(&vec![b'x'; 8 << 20]));
    for (from, is_bomb) in [(1 << 20, true), (16 << 20, false)] {
        let Body::Stream(stream) = open_path(&path).body else { panic!("packed") };
        let mut stream = stream.with_ratio_from(from);
        let n = io::copy(&mut stream, &mut io::sink());
        assert_eq!(n.is_err(), is_bomb, "{n:?}");
        assert_eq!(stream.finish().damage.is_some(), is_bomb);
    }
}

#[test]
fn utf16_is_guessed_only_from_text() {
    let check =
        |bytes: &[u8], expect: Encoding| assert_eq!(Encoding::of(bytes).0, expect, "{bytes:?}");
    let text = utf16("#Fields: date time\r\n", u16::to_le_bytes, b"");
    check(&text, Encoding::Utf16Le);
    check(&text[..4], Encoding::Utf16Le);
    check(b"", Encoding::Utf8);
    check(b"a", Encoding::Utf8);
    check(b"a\0", Encoding::Utf8);
    check(b"ElfFile\0\0\0\0\0\0\0\0\0", Encoding::Utf8);
    check(&[0; 64], Encoding::Utf8);
    check(&[b"#Software: Microsoft\r\n", &[0; 4000][..]].concat(), Encoding::Utf8);
    check(&[&[0; 4000][..], b"#Software: Microsoft\r\n"].concat(), Encoding::Utf8);
    check(&[&text[..], &[0; 64]].concat(), Encoding::Utf8);
    check(&[&text[..], &b"2026-03-02 10:00:00 ".repeat(200)[..]].concat(), Encoding::Utf8);
    check(&utf16("#Fields:", u16::to_be_bytes, b""), Encoding::Utf8);
    check(b"caf\xc3", Encoding::Utf8);
    check(b"caf\xe9 ", Encoding::Bytes);
}

#[test]
fn broken_utf16_becomes_replacement_characters() {
    let scratch = Scratch::new();
    let path = scratch.write("a", b"\xff\xfea\0\x3d\xd8b\0c");
    assert_eq!(drain(open_path(&path)).0, "a\u{fffd}b\u{fffd}".as_bytes());
}

#[test]
fn empty_files_are_texts_without_a_byte() {
    let scratch = Scratch::new();
    for stored in [&b""[..], b"\xef\xbb\xbf", b"\xff\xfe", &gzip(b""), &zstd(b"")] {
        let opened = open_path(&scratch.write("empty", stored));
        assert_eq!(opened.head, b"");
        let (got, known) = drain(opened);
        assert_eq!((got, known.damage), (Vec::new(), None));
        assert_eq!(known.sha256, Some(sha256(stored)));
    }
}

#[test]
fn other_packings_are_named() {
    let scratch = Scratch::new();
    let tar = [&[0; 257][..], b"ustar\x0000", &[0; 900]].concat();
    for (stored, expect) in [
        (b"\xfd7zXZ\0\0\x04".to_vec(), "packed with xz"),
        (b"BZh91AY&SY..".to_vec(), "packed with bzip2"),
        (b"7z\xbc\xaf\x27\x1c\0".to_vec(), "a 7z archive"),
        (b"Rar!\x1a\x07\0".to_vec(), "a rar archive"),
        (b"MSCF\0\0\0\0".to_vec(), "a cab archive"),
        (b"PK\x03\x04....".to_vec(), "a zip archive"),
        (tar.clone(), "a tar archive"),
        (gzip(&tar), "a tar archive"),
        (gzip(&gzip(b"x")), "packed twice"),
        (zstd(&gzip(b"x")), "packed twice"),
    ] {
        let source = source(&scratch.write("a", &stored));
        let error = open(&source, Hash::Sha256).unwrap_err().to_string();
        assert!(error.contains(expect) && error.contains("; unpack it"), "{error}");
    }
}

#[test]
fn what_is_gone_or_forbidden_says_so() {
    let scratch = Scratch::new();
    let path = scratch.write("a", b"x");
    let source = source(&path);
    fs::remove_file(&path).unwrap();
    let error = open(&source, Hash::Sha256).unwrap_err().to_string();
    assert_eq!(error, What::Missing.to_string());
    fs::create_dir(&path).unwrap();
    let error = open(&source, Hash::Sha256).unwrap_err().to_string();
    assert_eq!(error, What::NotAFile("a folder").to_string());
    fs::remove_dir(&path).unwrap();

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        scratch.write("a", b"x");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let can_read = File::open(&path).is_ok();
        let opened = open(&source, Hash::Sha256);
        if can_read {
            eprintln!("skipped: this user may read everything");
        } else {
            assert_eq!(opened.unwrap_err().to_string(), What::NoPermission.to_string());
        }
    }
}

/// Nothing that is read here may change, not even its times of change.
#[test]
fn a_source_is_only_read() {
    let scratch = Scratch::new();
    let path = scratch.write("a", log(5000).as_bytes());
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    let writable = permissions.clone();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let (text, known) = drain(open_path(&path));
    assert_eq!((text.len(), known.damage), (log(5000).len(), None));
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    assert_eq!(fs::read(&path).unwrap(), text);
    // Windows deletes nothing that is read-only.
    fs::set_permissions(&path, writable).unwrap();
}

#[test]
fn standard_input_is_read() {
    if is_child() {
        let (found, problems) = sources(&[PathBuf::from("-"), PathBuf::from("-")]);
        assert_eq!((found.len(), problems.len()), (1, 0));
        let (found, problems) = expand(found);
        assert_eq!(problems, []);
        for source in found {
            let opened = match source.origin {
                Origin::Stdin => open_kept(&keep(&source).unwrap(), Hash::Sha256),
                _ => open(&source, Hash::Sha256),
            };
            let (text, known) = drain(opened.unwrap());
            println!("[{} {} {}]", source.path, sha256(&text), known.sha256.unwrap());
        }
        return;
    }
    let scratch = Scratch::new();
    let text = log(5000).into_bytes();
    let zip =
        fs::read(zips::archive(&scratch, "deflated", &[("EX01/a", &text), ("b", b"x")])).unwrap();
    let line = |path: &str, text: &[u8], stored: &[u8]| {
        format!("[{path} {} {}]", sha256(text), sha256(stored))
    };
    for (stored, expect) in [
        (text.clone(), vec![line("-", &text, &text)]),
        (gzip(&text), vec![line("-", &text, &gzip(&text))]),
        (b"".to_vec(), vec![line("-", b"", b"")]),
        (zip, vec![line("-!EX01/a", &text, &text), line("-!b", b"x", b"x")]),
    ] {
        let mut process = child("standard_input_is_read")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        process.stdin.take().unwrap().write_all(&stored).unwrap();
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8_lossy(&output.stdout);
        for line in expect {
            assert!(said.contains(&line), "{line} is not in {said}");
        }
    }
}

#[test]
fn real_files_are_read_as_they_are() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/real");
    let folder = std::env::var("STILLIN_REAL").unwrap_or_else(|_| beside.to_string());
    if !Path::new(&folder).is_dir() {
        eprintln!("skipped: no {folder}");
        return;
    }
    let (found, problems) = sources(&[PathBuf::from(folder)]);
    assert_eq!(problems, []);
    assert!(found.len() > 50);
    for source in found {
        let stored = fs::read(&source.fs_path).unwrap();
        let opened = open(&source, Hash::Sha256).unwrap();
        let encoding = opened.encoding;
        let whole = opened.whole().unwrap();
        match encoding {
            Encoding::Utf8 | Encoding::Bytes => assert!(*whole == *stored, "{}", source.path),
            Encoding::Utf8Bom => assert!(*whole == stored[3..], "{}", source.path),
            Encoding::Utf16Le | Encoding::Utf16Be => {
                assert!(std::str::from_utf8(&whole).is_ok(), "{}", source.path);
            }
        }
        assert_eq!(whole.stored(Hash::Sha256).sha256, Some(sha256(&stored)));
    }
}
