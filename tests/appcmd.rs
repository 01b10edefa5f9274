//! A stand-in for appcmd.exe and iisreset.exe: their arguments to their output and exit status (DOMAIN.md 6.4), over
//! a state in a file that `APPCMD_STATE` names.
//!
//! The state: `{"servers": {"EX01": {"next": 5000, "pools": {"P": {"state": "Started", "workers": [1], "recycles": 0}}}}}`.
//! `"sleep"` beside `"servers"` are milliseconds that everything takes, and `"mark"` is the encoding of all that is printed,
//! with its byte-order mark: `utf-8` or `utf-16`. A server may have `"fails"`: what is done (`pools`,
//! `wp`, `recycle`, `iisreset`) to how it fails: `denied`, `hang`, `garbage`, `localised`, `idle` (says it did, and did not),
//! `fehler` and `stderr` (as `idle`, but with an error in another language, or where it does not belong).
//! Called as `appcmd [--server NAME] [appcmd|iisreset] WORDS`; without a name the only server is meant.

use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// What is printed, and the exit status.
type Told = (String, u8);

fn main() -> ExitCode {
    let path =
        PathBuf::from(std::env::var_os("APPCMD_STATE").expect("APPCMD_STATE names the state"));
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let server = (words.first().map(String::as_str) == Some("--server")).then(|| {
        words.remove(0);
        words.remove(0)
    });
    if matches!(words.first().map(String::as_str), Some("appcmd")) {
        words.remove(0);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let asleep = read(&path)["sleep"].as_u64().unwrap_or(0);
    let mark = read(&path)["mark"].as_str().unwrap_or_default().to_owned();
    std::thread::sleep(Duration::from_millis(asleep));
    let (text, status) = locked(&path, |state| tell(state, server.as_deref(), &words));
    std::thread::sleep(Duration::from_millis(asleep));
    if text == "hang" {
        std::thread::sleep(Duration::from_secs(60));
    }
    // Whoever asked may have been killed meanwhile.
    let _ = match text.strip_prefix("stderr: ") {
        Some(text) => std::io::stderr().write_all(&encoded(text, &mark)),
        None => std::io::stdout().write_all(&encoded(&text, &mark)),
    };
    ExitCode::from(status)
}

fn encoded(text: &str, mark: &str) -> Vec<u8> {
    let marked = format!("\u{feff}{text}");
    match mark {
        "utf-8" => marked.into_bytes(),
        "utf-16" => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => text.as_bytes().to_vec(),
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("the state can be read"))
        .expect("the state is JSON")
}

/// Changes the state as one: nobody else sees it half changed, and whatever kills us leaves it whole.
fn locked(path: &Path, change: impl FnOnce(&mut Value) -> Told) -> Told {
    let lock = File::create(path.with_extension("lock")).expect("a lock beside the state");
    lock.lock().expect("the lock");
    let mut state = read(path);
    let told = change(&mut state);
    let new = path.with_extension("new");
    let text = serde_json::to_string_pretty(&state).expect("JSON") + "\n";
    fs::write(&new, text).expect("the new state can be written");
    fs::rename(new, path).expect("the new state replaces the old one");
    told
}

fn tell(state: &mut Value, server: Option<&str>, words: &[&str]) -> Told {
    let servers = state["servers"].as_object_mut().expect("servers");
    let only = servers.keys().next().cloned().filter(|_| servers.len() == 1);
    let name = server.map(str::to_owned).or(only).expect("--server, for there are several");
    let Some(server) = servers.get_mut(&name) else {
        return (format!("ssh: Could not resolve hostname {name}\n"), 255);
    };
    let fails = |what: &str| server["fails"][what].as_str().unwrap_or_default().to_owned();
    match words {
        ["list", "apppools"] => list(&fails("pools"), pools(server)),
        ["list", "wp"] => list(&fails("wp"), workers(server)),
        ["recycle", "apppool", name] => {
            let pool = name.strip_prefix("/apppool.name:").expect("/apppool.name:");
            recycle(server, &fails("recycle"), pool)
        }
        ["iisreset"] => iisreset(server, &fails("iisreset")),
        _ => (format!("ERROR ( message:Unknown command {words:?}. )\n"), 87),
    }
}

fn denied() -> Told {
    (
        "ERROR ( hresult:80070005, message:Command execution failed.\nAccess is denied.\n )\n"
            .into(),
        5,
    )
}

fn list(fails: &str, text: String) -> Told {
    match fails {
        "denied" => denied(),
        "hang" => ("hang".into(), 0),
        "garbage" => ("\u{1b}[2J\u{7f}??? \0\n".into(), 0),
        "localised" => (text.replace("APPPOOL", "ANWENDUNGSPOOL").replace("WP", "AP"), 0),
        // As the real one: a list of nothing has a status of 1.
        _ if text.is_empty() => (text, 1),
        _ => (text, 0),
    }
}

fn pools(server: &Value) -> String {
    let line = |(name, pool): (&String, &Value)| {
        let state = pool["state"].as_str().expect("state");
        format!("APPPOOL \"{name}\" (MgdVersion:v4.0,MgdMode:Integrated,state:{state})\n")
    };
    server["pools"].as_object().expect("pools").iter().map(line).collect()
}

fn workers(server: &Value) -> String {
    let mut text = String::new();
    for (name, pool) in server["pools"].as_object().expect("pools") {
        for worker in pool["workers"].as_array().expect("workers") {
            text += &format!("WP \"{worker}\" (applicationPool:{name})\n");
        }
    }
    text
}

fn recycle(server: &mut Value, fails: &str, name: &str) -> Told {
    match fails {
        "denied" => return denied(),
        "hang" => return ("hang".into(), 0),
        "garbage" => return ("\u{1b}[2J\u{7f}??? \0\n".into(), 3),
        "fehler" => {
            let what = "Meldung:Der Dienst kann nicht gestartet werden.";
            return (format!("FEHLER ( {what} HRESULT=80070426 )\n"), 0);
        }
        "stderr" => return (format!("stderr: {}", denied().0), 0),
        "idle" => return (format!("\"{name}\" successfully recycled\n"), 0),
        _ => {}
    }
    let next = server["next"].as_u64().expect("next");
    let Some(pool) = server["pools"].get_mut(name) else {
        return (
            format!("ERROR ( message:Cannot find APPPOOL object with identifier \"{name}\". )\n"),
            50,
        );
    };
    if pool["state"] != "Started" {
        let what =
            format!("Application pool \"{name}\" must be started before it can be recycled.");
        return (format!("ERROR ( message:{what} HRESULT=80070426 )\n"), 38);
    }
    pool["recycles"] = json!(pool["recycles"].as_u64().expect("recycles") + 1);
    if pool["workers"].as_array().is_some_and(|workers| !workers.is_empty()) {
        pool["workers"] = json!([next]);
        server["next"] = json!(next + 1);
    }
    match fails {
        "localised" => (format!("\"{name}\" wurde erfolgreich wiederverwendet\n"), 0),
        _ => (format!("\"{name}\" successfully recycled\n"), 0),
    }
}

fn iisreset(server: &mut Value, fails: &str) -> Told {
    if fails == "denied" {
        let text = "Access denied, you must be an administrator of the remote computer to use this command.";
        return (format!("\n{text}\n"), 5);
    }
    for (_, pool) in server["pools"].as_object_mut().expect("pools") {
        pool["workers"] = json!([]);
    }
    server["resets"] = json!(server["resets"].as_u64().unwrap_or(0) + 1);
    let steps =
        ["Attempting stop...", "Internet services successfully stopped", "Attempting start..."];
    (format!("\n{}\nInternet services successfully restarted\n", steps.join("\n")), 0)
}
