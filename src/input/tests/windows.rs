//! Files that other programs of Windows hold open. Sharing is Windows' own rule; Wine keeps it, too.

use std::os::windows::fs::OpenOptionsExt;

use super::*;

const SHARE_READ: u32 = 1;
const SHARE_ALL: u32 = 1 | 2 | 4;
const USER_MAPPED_FILE: i32 = 1224;

/// The log of today, as HTTP.sys holds it: open for writing, and others may read it, no more.
#[test]
fn a_log_that_is_being_written_is_read() {
    let scratch = Scratch::new();
    let path = scratch.write("u_ex.log", log(2000).as_bytes());
    for sharing in [SHARE_READ, SHARE_ALL] {
        let mut writer = File::options().append(true).share_mode(sharing).open(&path).unwrap();
        let opened = open_path(&path);
        assert!(matches!(opened.body, Body::Mapped(_)));
        writer.write_all(b"one more line\r\n").unwrap();
        let Body::Mapped(map) = opened.body else { return };
        let damage = map.damage().unwrap();
        assert!(damage.starts_with("grew from "), "{damage}");
        drop(map);
        let (text, known) = drain(open_path(&path));
        assert!(text.ends_with(b"one more line\r\n"));
        assert_eq!(known.damage, None);
    }
}

/// Others may rename and delete what is read here; only to cut what is mapped is refused, so nothing needs a guard.
#[test]
fn a_mapped_file_is_not_truncated() {
    let scratch = Scratch::new();
    let path = scratch.write("u_ex.log", log(2000).as_bytes());
    let opened = open_path(&path);
    let error = File::options().write(true).open(&path).unwrap().set_len(1).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(USER_MAPPED_FILE));
    fs::rename(&path, scratch.0.join("moved.log")).unwrap();
    assert_eq!(drain(opened).0, log(2000).as_bytes());
}

#[test]
fn a_file_that_is_locked_says_so() {
    let scratch = Scratch::new();
    let path = scratch.write("a", b"x");
    let source = source(&path);
    let _writer = File::options().write(true).share_mode(0).open(&path).unwrap();
    let error = open(&source, Hash::Sha256).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot be read: ") && error.ends_with("give a copy of it"),
        "{error}"
    );
}
