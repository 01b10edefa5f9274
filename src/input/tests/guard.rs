//! Files that change while they are mapped, and what cannot be mapped. Unix only: Windows refuses the former.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::input::guard::sigbus;

fn mapped(path: &Path) -> Map {
    match open_path(path).body {
        Body::Mapped(map) => map,
        Body::Stream(_) => panic!("not mapped"),
    }
}

fn set_len(path: &Path, len: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(len).unwrap();
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

#[test]
fn a_file_cut_while_threads_read_it_costs_that_file_only() {
    let scratch = Scratch::new();
    let bytes = vec![b'x'; 8 << 20];
    for left in [0, 4096, 5_000_001] {
        let path = scratch.write("cut", &bytes);
        let other = scratch.write("other", &bytes);
        let (map, other) = (mapped(&path), mapped(&other));
        map.check().unwrap();
        let is_cut = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    // At least once as a whole after the cut, with pages that were given back.
                    loop {
                        let last = is_cut.load(Ordering::SeqCst);
                        map.release(0..map.len());
                        let seen = sum(&map);
                        if last {
                            assert_eq!(seen, left * u64::from(b'x'), "zeros behind the end");
                            break;
                        }
                    }
                });
            }
            scope.spawn(|| assert_eq!(sum(&other), sum(&bytes)));
            std::thread::sleep(std::time::Duration::from_millis(30));
            set_len(&path, left);
            is_cut.store(true, Ordering::SeqCst);
        });
        let error = map.check().unwrap_err().to_string();
        assert!(error.starts_with(&format!("shrank from 8388608 to {left} bytes")), "{error}");
        assert!(map.sha256().is_err());
        other.check().unwrap();
        assert_eq!(other.sha256().unwrap(), sha256(&bytes));
        // The addresses can be used again.
        drop(map);
        set_len(&path, 8 << 20);
        let map = mapped(&path);
        map.check().unwrap();
        assert_eq!(sum(&map), left * u64::from(b'x'));
    }
}

#[test]
fn a_missed_page_is_not_forgotten_when_the_file_grows_again() {
    let scratch = Scratch::new();
    let path = scratch.write("a", &vec![b'x'; 1 << 20]);
    let map = mapped(&path);
    set_len(&path, 100);
    assert_eq!(sum(&map), 100 * u64::from(b'x'));
    set_len(&path, 1 << 21);
    let error = map.check().unwrap_err().to_string();
    assert!(error.contains("bytes from ") && error.contains("could not be read"), "{error}");
}

#[test]
fn a_file_that_grows_or_is_deleted_is_sound() {
    let scratch = Scratch::new();
    let path = scratch.write("a", b"\xef\xbb\xbfold\n");
    let map = mapped(&path);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"new\n").unwrap();
    fs::remove_file(&path).unwrap();
    map.check().unwrap();
    assert!(map.damage().unwrap().starts_with("grew from "), "{:?}", map.damage());
    assert_eq!((&map[..], map.stored()), (&b"old\n"[..], &b"\xef\xbb\xbfold\n"[..]));
    assert_eq!(map.sha256().unwrap(), sha256(b"\xef\xbb\xbfold\n"));
}

#[test]
fn advice_takes_any_range() {
    let scratch = Scratch::new();
    let map = mapped(&scratch.write("a", &[&b"\xef\xbb\xbf"[..], &[b'x'; 10_000]].concat()));
    #[allow(clippy::reversed_empty_ranges)]
    for range in [0..0, 0..1, 1..10_000, 9_999..20_000, 20_000..30_000, 5..3, 0..usize::MAX] {
        map.release(range);
        assert_eq!(sum(&map), 10_000 * u64::from(b'x'));
    }
}

/// A packed file and an archive say as well that they shrank, and not only that they are broken.
#[test]
fn shrinking_is_told_of_streams_and_archives() {
    let scratch = Scratch::new();
    let text = log(60_000);
    let stored = gzip(text.as_bytes());
    let path = scratch.write("a.gz", &stored);
    let opened = open_path(&path);
    set_len(&path, 5000);
    let (got, known) = drain(opened);
    assert!(text.as_bytes().starts_with(&got));
    assert!(
        known.damage.as_ref().is_some_and(|damage| damage.starts_with("shrank from")),
        "{known:?}"
    );
    assert_eq!(known.sha256, None);

    let path = zips::archive(&scratch, "deflated", &[("a", text.as_bytes())]);
    let (members, _) = expand(vec![source(&path)]);
    set_len(&path, 5000);
    let (got, known) = drain(open(&members[0], Hash::Sha256).unwrap());
    assert!(got.len() < text.len());
    assert!(
        known.damage.as_ref().is_some_and(|damage| damage.starts_with("shrank from")),
        "{known:?}"
    );
    assert_eq!(known.sha256, None);
}

#[test]
fn pipes_are_read() {
    let scratch = Scratch::new();
    let path = scratch.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let text = log(5000);
    let stored = gzip(text.as_bytes());
    let (to, bytes) = (path.clone(), stored.clone());
    let writer = std::thread::spawn(move || fs::write(to, bytes).unwrap());
    // Looking for archives must not take from it.
    let (found, problems) = expand(vec![source(&path)]);
    assert_eq!(problems, []);
    let opened = open(&found[0], Hash::Sha256).unwrap();
    assert_eq!(opened.stored_bytes, 0);
    let (got, known) = drain(opened);
    writer.join().unwrap();
    assert!(got == text.as_bytes());
    let bytes = stored.len() as u64;
    assert_eq!(known, Stored { bytes, sha256: Some(sha256(&stored)), damage: None });
}

#[cfg(target_os = "linux")]
#[test]
fn files_of_the_kernel_are_read() {
    let (got, known) = drain(open_path(Path::new("/proc/version")));
    assert_eq!((&got, known.damage), (&fs::read("/proc/version").unwrap(), None));
    assert!(!got.is_empty());
    // This one says 4096 bytes, has fewer, and cannot be mapped.
    let path = Path::new("/sys/kernel/mm/transparent_hugepage/enabled");
    if path.exists() {
        let opened = open_path(path);
        assert!(matches!(opened.body, Body::Stream(_)));
        let (got, known) = drain(opened);
        assert_eq!((got, known.damage), (fs::read(path).unwrap(), None));
    }
}

/// In a process of its own, whose table it fills.
#[test]
fn what_finds_no_room_in_the_table_is_read() {
    if is_child() {
        let scratch = Scratch::new();
        let path = scratch.write("a", b"text");
        let mut watches = Vec::new();
        while let Some(watch) = sigbus::watch(1 << 20, 1) {
            watches.push(watch);
        }
        let opened = open_path(&path);
        assert!(matches!(opened.body, Body::Stream(_)));
        assert_eq!(drain(opened).0, b"text");
        watches.pop();
        assert!(matches!(open_path(&path).body, Body::Mapped(_)));
        println!("[{} watches]", watches.len() + 1);
        return;
    }
    let output = child("guard::what_finds_no_room_in_the_table_is_read").output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("[1024 watches]"));
}

/// The handler answers for its own maps only: any other bad access ends the process as it would without it.
#[test]
fn a_fault_elsewhere_still_ends_the_process() {
    if is_child() {
        let scratch = Scratch::new();
        let guarded = mapped(&scratch.write("guarded", &[b'x'; 9000]));
        set_len(&scratch.0.join("guarded"), 0);
        println!("[guarded {}]", sum(&guarded));
        let path = scratch.write("bare", &[b'x'; 9000]);
        let file = File::open(&path).unwrap();
        // SAFETY: a test of what happens when the contract is broken, in a process that is to end by it.
        let bare = unsafe { memmap2::Mmap::map(&file).unwrap() };
        set_len(&path, 0);
        let _ = fs::remove_dir_all(&scratch.0);
        println!("[survived {}]", sum(&bare));
        return;
    }
    let output = child("guard::a_fault_elsewhere_still_ends_the_process").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("[guarded 0]") && !said.contains("[survived"), "{said}");
    assert_eq!(output.status.signal(), Some(libc::SIGBUS));
}
