//! What appcmd prints to pools and workers, and its failures to sentences (DOMAIN.md 6.4). Pure.

/// An application pool of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its name, as the server spells it.
    pub name: String,
    /// `Started`, `Stopped`, …
    pub state: String,
}

/// A worker process of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Process id.
    pub id: u32,
    /// The pool it serves.
    pub pool: String,
}

/// `list apppools`; the error is a line that is not understood.
pub fn pools(text: &str) -> Result<Vec<Pool>, String> {
    lines(text).map(|line| pool(line).ok_or_else(|| line.to_owned())).collect()
}

/// `list wp`; the error is a line that is not understood.
pub fn workers(text: &str) -> Result<Vec<Worker>, String> {
    lines(text).map(|line| worker(line).ok_or_else(|| line.to_owned())).collect()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    // A mark of byte order before a later line is that of a stream that was put behind another one.
    text.lines().map(|line| line.trim_matches('\u{feff}').trim()).filter(|line| !line.is_empty())
}

/// `APPPOOL "x" (MgdVersion:v4.0,MgdMode:Integrated,state:Started)`
fn pool(line: &str) -> Option<Pool> {
    let (name, values) = named(line, "APPPOOL")?;
    let state = values.split(',').find_map(|value| value.strip_prefix("state:"))?;
    Some(Pool { name: name.to_owned(), state: state.to_owned() })
}

/// `WP "1234" (applicationPool:x)`
fn worker(line: &str) -> Option<Worker> {
    let (id, values) = named(line, "WP")?;
    let pool = values.strip_prefix("applicationPool:")?;
    Some(Worker { id: id.parse().ok()?, pool: pool.to_owned() })
}

fn named<'a>(line: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
    let rest = line.strip_prefix(kind)?.strip_prefix(" \"")?;
    rest.strip_suffix(')')?.rsplit_once("\" (")
}

/// The line that says that it failed, whatever its exit status: a wrapper may have lost that.
pub fn error(text: &str) -> Option<&str> {
    lines(text).find(|line| line.starts_with("ERROR (") || has_hresult(line))
}

/// `HRESULT=80070426`, `hresult:80070005`, `HRESULT: 0x80070005`: an error in whatever language, for success has none.
fn has_hresult(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.split("hresult").skip(1).any(|rest| {
        let number = rest.trim_start_matches([':', '=', ' ']);
        number.strip_prefix("0x").unwrap_or(number).starts_with('8')
    })
}

/// The first line of what a program printed, for a sentence.
pub fn first_line(text: &str) -> &str {
    lines(text).next().unwrap_or("it printed nothing")
}

/// What to do about a failure, where it is known.
pub fn cure(exit: Option<i32>, text: &str) -> &'static str {
    let denied = ["80070005", "Access denied", "Access is denied"];
    if exit == Some(5) || denied.iter().any(|word| text.contains(word)) {
        return "; run it as an administrator of the server, elevated";
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let check = |text: &str, expect: Result<&[(&str, &str)], &str>| {
            let got = pools(text);
            let got = got.as_ref().map(|pools| {
                let pairs = pools.iter().map(|pool| (pool.name.as_str(), pool.state.as_str()));
                pairs.collect::<Vec<_>>()
            });
            assert_eq!(got.map_err(String::as_str), expect.map(<[_]>::to_vec), "{text:?}");
        };
        let line = "APPPOOL \"MSExchangeSyncAppPool\" (MgdVersion:v4.0,MgdMode:Integrated,state:Started)\r\n";
        check(line, Ok(&[("MSExchangeSyncAppPool", "Started")]));
        check(&format!("{line}\n{line}"), Ok(&[("MSExchangeSyncAppPool", "Started"); 2]));
        check(
            "APPPOOL \"a (b\" (c\" (MgdVersion:,MgdMode:Classic,state:Unknown)",
            Ok(&[("a (b\" (c", "Unknown")]),
        );
        check("", Ok(&[]));
        check("ANWENDUNGSPOOL \"x\" (state:Started)", Err("ANWENDUNGSPOOL \"x\" (state:Started)"));
        check("APPPOOL \"x\" (MgdVersion:v4.0)", Err("APPPOOL \"x\" (MgdVersion:v4.0)"));
        check(&format!("{line}Press any key"), Err("Press any key"));
        check("APPPOOL \"x\" (state:Started", Err("APPPOOL \"x\" (state:Started"));
    }

    #[test]
    fn worker_lists() {
        let check = |text: &str, expect: Result<&[(u32, &str)], &str>| {
            let got = workers(text);
            let got = got.as_ref().map(|workers| {
                workers.iter().map(|worker| (worker.id, worker.pool.as_str())).collect::<Vec<_>>()
            });
            assert_eq!(got.map_err(String::as_str), expect.map(<[_]>::to_vec), "{text:?}");
        };
        check(
            "WP \"1234\" (applicationPool:P)\nWP \"5678\" (applicationPool:Q)",
            Ok(&[(1234, "P"), (5678, "Q")]),
        );
        check("", Ok(&[]));
        check("WP \"x\" (applicationPool:P)", Err("WP \"x\" (applicationPool:P)"));
        check("WP \"1\" (pool:P)", Err("WP \"1\" (pool:P)"));
    }

    #[test]
    fn failures() {
        let check =
            |exit, text, expect: bool| assert_eq!(!cure(exit, text).is_empty(), expect, "{text}");
        check(Some(5), "ERROR ( Zugriff verweigert )", true);
        check(Some(1), "ERROR ( hresult:80070005, message:Command execution failed.", true);
        check(
            Some(50),
            "ERROR ( message:Cannot find APPPOOL object with identifier \"x\". )",
            false,
        );
        assert_eq!(error("x\n  ERROR ( message:no )"), Some("ERROR ( message:no )"));
        assert_eq!(error("\"ERROR (\" successfully recycled"), None);
        let localised = "FEHLER ( Meldung:Der Dienst startet nicht. HRESULT=80070426 )";
        assert_eq!(error(&format!("x\n{localised}\ny")), Some(localised));
        assert!(error("Ausnahme von HRESULT: 0x80070005 (E_ACCESSDENIED)").is_some());
        assert_eq!(error("\"hresult\" wurde erfolgreich wiederverwendet\nHRESULT=0"), None);
        assert_eq!(first_line("\r\n  a \nb"), "a");
    }
}
