//! What all these tests need: the program, a folder of one's own, lists of files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The root of the project, from which the paths in samples, README and expected files are meant.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program, without anything of the caller's terminal and settings. `STILLIN_PROGRAM` names another build.
pub fn stillin() -> Command {
    let other = std::env::var_os("STILLIN_PROGRAM");
    let mut command = Command::new(other.unwrap_or(env!("CARGO_BIN_EXE_stillin").into()));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    // Settings of the caller's own; and those of the tests mean nothing to the program.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_uppercase().starts_with("STILLIN_") {
            command.env_remove(name);
        }
    }
    command.current_dir(root());
    command
}

/// The stand-in for appcmd (`tests/appcmd.rs`): an example, so that `cargo test` builds it beside the program.
pub fn appcmd() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_stillin")).parent().unwrap().join("examples");
    let path = folder.join(format!("appcmd{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{}: is not built; run `cargo test` without --test", path.display());
    path
}

/// The name of this computer, as the program tells it.
pub fn host() -> String {
    let name = match cfg!(windows) {
        true => std::env::var("COMPUTERNAME").unwrap(),
        false => {
            String::from_utf8(Command::new("uname").arg("-n").output().unwrap().stdout).unwrap()
        }
    };
    name.trim().to_uppercase()
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Starts a process. Wine answers with "Internal error" (1359) where the new process died before it ran any of its
/// code, which happens once in some thousand starts and never on Windows: then it is started again.
pub fn spawn(command: &mut Command) -> Child {
    for _ in 0..4 {
        match command.spawn() {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(1359) => {}
            spawned => return spawned.unwrap(),
        }
    }
    command.spawn().unwrap()
}

/// Runs to the end. A panic is never an outcome that a test may expect.
pub fn run(command: &mut Command, stdin: &[u8]) -> Ran {
    let mut output = run_once(command, stdin);
    for _ in 0..4 {
        if !(cfg!(windows) && output.status.code() == Some(NEVER_BEGAN)) {
            break;
        }
        output = run_once(command, stdin);
    }
    let ran = Ran {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!ran.stderr.contains("panicked at"), "{command:?}\n{}", ran.stderr);
    ran
}

/// The status 0xC0000142 of a process one of whose system libraries did not come up: it ran none of its own code.
/// It is the second thing that Wine says once in some thousand starts.
const NEVER_BEGAN: i32 = 0xC000_0142_u32.cast_signed();

fn run_once(command: &mut Command, stdin: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(command);
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    // The program may end without having read what it is given.
    let writer = std::thread::spawn(move || pipe.write_all(&stdin));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    output
}

/// Runs with words for arguments, from the root.
pub fn run_words<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Ran {
    run(stillin().args(words), b"")
}

/// A folder that is gone with its value.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes an empty one.
    pub fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("program-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file in it, and the folders it lies in.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Copies a file or a folder of the project into it.
    pub fn copy(&self, from: &str, to: impl AsRef<Path>) {
        let (from, to) = (root().join(from), self.0.join(to));
        assert!(from.exists(), "{}: is not there", from.display());
        for file in files_under(&from) {
            let target = match file.strip_prefix(&from) {
                Ok(rest) if !rest.as_os_str().is_empty() => to.join(rest),
                _ => to.clone(),
            };
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(file, target).unwrap();
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Every file at or below a path, in order of name.
pub fn files_under(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().flat_map(|entry| files_under(entry)).collect()
}

/// A path below the root, as it is written in the project's texts.
pub fn name_of(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Every file below a folder with what is in it, by its path in the folder.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let content = |file: PathBuf| {
        let bytes = fs::read(&file).unwrap();
        (file.strip_prefix(folder).unwrap().to_owned(), bytes)
    };
    files_under(folder).into_iter().map(content).collect()
}
