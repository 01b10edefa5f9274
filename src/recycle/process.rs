//! Words to a process, and the process to what it printed and how it ended, within a time.

use anyhow::Context;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Bytes that are kept of each stream.
const KEPT: usize = 64 << 10;

/// How long a stream may stay open behind a process that is gone: one of its children may hold it.
const LINGER: Duration = Duration::from_secs(2);

/// `CREATE_NEW_PROCESS_GROUP`
#[cfg(windows)]
const NEW_GROUP: u32 = 0x200;

/// What came of a process.
#[derive(Debug)]
pub struct Ran {
    /// Exit status; none if it was killed.
    pub exit: Option<i32>,
    /// It took too long and was killed, and its children as well as can be.
    pub is_late: bool,
    /// The beginning of what it printed.
    pub stdout: String,
    /// The beginning of what it complained about.
    pub stderr: String,
}

impl Ran {
    /// Both streams, one after the other.
    pub fn output(&self) -> String {
        let gap = if self.stdout.is_empty() || self.stdout.ends_with('\n') { "" } else { "\n" };
        let mut text = format!("{}{gap}{}", self.stdout, self.stderr);
        text.truncate(text.floor_char_boundary(KEPT));
        text
    }
}

/// Runs a program without a shell and without input. It is killed when its time is over.
pub fn run(words: &[String], limit: Duration) -> anyhow::Result<Ran> {
    let (program, args) = words.split_first().context("no command")?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that its children can be killed with it, and Ctrl-C does not reach it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(&mut command, NEW_GROUP);
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {program}"))?;
    let stdout = child.stdout.take().map(beginning);
    let stderr = child.stderr.take().map(beginning);
    let mut status = None;
    while status.is_none() && started.elapsed() < limit {
        // A process that cannot be asked is one that takes too long.
        status = child.try_wait().ok().flatten();
        if status.is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let is_late = status.is_none();
    if is_late {
        kill(&mut child);
    }
    let over = Instant::now() + LINGER;
    let text = |stream: Option<Receiver<Vec<u8>>>| {
        stream.map(|stream| text(&stream, over)).unwrap_or_default()
    };
    Ok(Ran {
        exit: status.and_then(|status| status.code()),
        is_late,
        stdout: text(stdout),
        stderr: text(stderr),
    })
}

/// Reads a stream to its end, so that nobody waits for it to be read, and hands on its beginning.
fn beginning(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (to, from) = channel();
    std::thread::spawn(move || {
        let mut left = KEPT;
        let mut buffer = [0; 4096];
        while let Ok(n) = stream.read(&mut buffer)
            && n > 0
        {
            let kept = n.min(left);
            left -= kept;
            if kept > 0 {
                // Nobody listens any more once the command is over.
                let _ = to.send(buffer[..kept].to_vec());
            }
        }
    });
    from
}

fn text(stream: &Receiver<Vec<u8>>, over: Instant) -> String {
    let mut bytes = Vec::new();
    while let Ok(more) = stream.recv_timeout(over.saturating_duration_since(Instant::now())) {
        bytes.extend(more);
    }
    decoded(&bytes)
}

/// PowerShell and wrappers may put a byte-order mark before what a program printed, or write it as UTF-16 altogether.
fn decoded(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Kills a process and those it started. The tools of the system do it, because the calls for it are unsafe.
fn kill(child: &mut Child) {
    let id = child.id().to_string();
    let mut tool = if cfg!(windows) {
        let mut tool = Command::new("taskkill");
        tool.args(["/T", "/F", "/PID", &id]);
        tool
    } else {
        let mut tool = Command::new("sh");
        tool.args(["-c", "kill -s KILL -- \"-$0\"", &id]);
        tool
    };
    // If there is no such tool, at least the process itself is killed; the step is told as uncertain in any case.
    let _ = tool.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod marks {
    #[test]
    fn of_byte_order() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let (line, text) =
            ("WP \"1\" (applicationPool:Ö)\r\n", "\u{feff}WP \"1\" (applicationPool:Ö)\r\n");
        let le: Vec<u8> = units(text).into_iter().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = units(text).into_iter().flat_map(u16::to_be_bytes).collect();
        for bytes in [line.as_bytes(), text.as_bytes(), &le, &be] {
            assert_eq!(super::decoded(bytes), line, "{bytes:?}");
        }
        // The beginning of a long text may end within a letter.
        assert_eq!(super::decoded(&le[..9]), "WP ");
        assert_eq!(super::decoded(&le[..2]), "");
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    //! With the shell of the system, which there is on Unix only.

    use super::*;

    fn sh(script: &str, limit: Duration) -> Ran {
        run(&["sh", "-c", script].map(str::to_owned), limit).unwrap()
    }

    #[test]
    fn status_and_streams() {
        let ran = sh("echo a; echo b >&2; exit 7", LINGER * 10);
        assert_eq!((ran.exit, ran.is_late), (Some(7), false));
        assert_eq!(ran.output(), "a\nb\n");
        assert!(run(&["no-such-program".to_owned()], LINGER).is_err());
        // It is not asked anything.
        assert_eq!(sh("cat; echo $?", LINGER * 10).stdout, "0\n");
    }

    #[test]
    fn much_output_is_read_and_little_is_kept() {
        let ran = sh("head -c 3000000 /dev/zero | tr '\\0' x; exit 3", LINGER * 30);
        assert_eq!((ran.exit, ran.stdout.len()), (Some(3), KEPT));
    }

    #[test]
    fn too_late() {
        let folder = tempfile::tempdir().unwrap();
        let sign = folder.path().join("sign");
        let started = Instant::now();
        let script = format!("echo a; (sleep 4; touch {}) & wait", sign.display());
        let ran = sh(&script, Duration::from_millis(500));
        assert_eq!((ran.exit, ran.is_late, ran.stdout.as_str()), (None, true, "a\n"));
        assert!(started.elapsed() < Duration::from_secs(4));
        std::thread::sleep(Duration::from_secs(5));
        assert!(!sign.exists(), "the child of the child went on");
    }

    #[test]
    fn a_child_that_keeps_the_stream_open_delays_nothing_for_long() {
        let started = Instant::now();
        let ran = sh("echo a; sleep 30 & exit 0", LINGER * 10);
        assert_eq!((ran.exit, ran.stdout.as_str()), (Some(0), "a\n"));
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}
