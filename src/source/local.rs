//! `--local`: what a Windows server says of itself to the places where its logs stand (DOMAIN.md 1.3, 3, 6.1).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use stillin_parsers::application_host;

/// What is asked of the computer: a variable of its environment, and the bytes of a file.
struct Computer<'a> {
    /// `%NAME%`
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// A file to its bytes, where it can be read.
    read: &'a dyn Fn(&Path) -> Option<Vec<u8>>,
    /// Whether a file or folder is there.
    has: &'a dyn Fn(&Path) -> bool,
}

/// Logs that lie below Exchange's own folder.
const EXCHANGE: &[&[&str]] =
    &[&["Logging", "HttpProxy"], &["Logging", "Ews"], &["Logging", "MapiHttp", "Mailbox"]];

/// Logs that lie below Windows' folder.
const WINDOWS: &[&[&str]] = &[
    &["System32", "LogFiles", "HTTPERR"],
    &["System32", "winevt", "Logs", "Security.evtx"],
    &["System32", "winevt", "Logs", "System.evtx"],
];

/// The places of the computer that runs this.
pub fn of_this_computer() -> Result<Vec<PathBuf>, String> {
    places(&Computer {
        variable: &|name| std::env::var_os(name),
        read: &|path| std::fs::read(path).ok(),
        has: &Path::exists,
    })
}

/// The places of a server that are there; the logs of IIS where its configuration puts them.
fn places(computer: &Computer<'_>) -> Result<Vec<PathBuf>, String> {
    let folder =
        |name: &str| (computer.variable)(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let windows = folder("SystemRoot").or_else(|| folder("windir")).ok_or(
        "--local: this is no Windows server (%SystemRoot% is not set); name the folders that hold the logs",
    )?;
    let config = below(&windows, &["System32", "inetsrv", "config", "applicationHost.config"]);
    let mut logs = iis_logs(&config, computer);
    if logs.is_empty() {
        let drive = folder("SystemDrive").map(root_of);
        logs.extend(drive.map(|drive| below(&drive, &["inetpub", "logs", "LogFiles"])));
    }
    let mut places: Vec<PathBuf> =
        logs.iter().filter(|place| (computer.has)(place)).cloned().collect();
    if places.is_empty() {
        let looked: Vec<String> = logs.iter().map(|place| place.display().to_string()).collect();
        return Err(format!(
            "--local: no logs of IIS at {}; run as an administrator, or name the folder that holds them",
            looked.join(", ")
        ));
    }
    let exchange = folder("ExchangeInstallPath");
    let others = exchange.iter().flat_map(|root| EXCHANGE.iter().map(|names| below(root, names)));
    let others = others.chain(WINDOWS.iter().map(|names| below(&windows, names))).chain([config]);
    places.extend(others.filter(|place| (computer.has)(place)));
    Ok(places)
}

/// Where the sites of IIS write, by its configuration, each folder once.
fn iis_logs(config: &Path, computer: &Computer<'_>) -> Vec<PathBuf> {
    let read = (computer.read)(config).and_then(|bytes| application_host::config(&bytes).ok());
    let sites = read.into_iter().flat_map(|config| config.sites);
    let mut logs: Vec<PathBuf> = sites
        .filter_map(|site| expanded(&site.log_directory?, computer.variable))
        .map(PathBuf::from)
        .collect();
    logs.sort();
    logs.dedup();
    logs
}

/// A text with its `%NAME%`s filled in; none where one of them is not set.
fn expanded(text: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> Option<String> {
    let mut whole = String::new();
    for (n, part) in text.split('%').enumerate() {
        match (n % 2, part) {
            (0, text) => whole.push_str(text),
            (_, "") => whole.push('%'),
            (_, name) => whole.push_str(variable(name)?.to_str()?),
        }
    }
    Some(whole)
}

fn below(root: &Path, names: &[&str]) -> PathBuf {
    names.iter().fold(root.to_owned(), |path, name| path.join(name))
}

/// `C:` is the folder that a program is in on that drive; its root is `C:\`.
fn root_of(drive: PathBuf) -> PathBuf {
    let is_bare = drive.to_str().is_some_and(|text| text.len() == 2 && text.ends_with(':'));
    if is_bare { drive.join(std::path::MAIN_SEPARATOR_STR) } else { drive }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIABLES: &[(&str, &str)] =
        &[("SystemRoot", "win"), ("SystemDrive", "drive"), ("ExchangeInstallPath", "ex")];

    fn places_of(there: &[&str], config: &str) -> Result<Vec<String>, String> {
        let variable = |name: &str| {
            let found = VARIABLES.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let named = |path: &Path| path.display().to_string().replace('\\', "/");
        let places = places(&Computer {
            variable: &variable,
            read: &|_| Some(config.as_bytes().to_vec()).filter(|text| !text.is_empty()),
            has: &|path| there.contains(&named(path).as_str()),
        })?;
        Ok(places.iter().map(|place| named(place)).collect())
    }

    #[test]
    fn what_is_there_is_found() {
        let there = [
            "drive/inetpub/logs/LogFiles",
            "win/System32/winevt/Logs/System.evtx",
            "ex/Logging/HttpProxy",
        ];
        assert_eq!(
            places_of(&there, "").unwrap(),
            [
                "drive/inetpub/logs/LogFiles",
                "ex/Logging/HttpProxy",
                "win/System32/winevt/Logs/System.evtx"
            ]
        );
    }

    #[test]
    fn the_configuration_says_where_iis_writes() {
        let config = r#"<configuration><system.applicationHost><sites>
            <site name="Default Web Site" id="1"><logFile directory="%SystemDrive%/iis" /></site>
            <site name="Exchange Back End" id="2"><logFile directory="%SystemDrive%/iis" /></site>
            <site name="Other" id="3"><logFile directory="%NoSuchDrive%/iis" /></site>
        </sites></system.applicationHost></configuration>"#;
        let there = ["drive/iis", "drive/inetpub/logs/LogFiles"];
        assert_eq!(places_of(&there, config).unwrap(), ["drive/iis"]);
    }

    #[test]
    fn no_logs_of_iis_is_an_error_that_says_where_it_looked() {
        let error = places_of(&["win/System32/winevt/Logs/System.evtx"], "").unwrap_err();
        assert!(error.contains("inetpub") && error.contains("administrator"), "{error}");
    }

    #[test]
    fn variables_are_filled_in() {
        let variable = |name: &str| (name == "A").then(|| OsString::from("x"));
        assert_eq!(expanded("%A%/b%%c", &variable).as_deref(), Some("x/b%c"));
        assert_eq!(expanded("%B%/b", &variable), None);
        assert_eq!(expanded("b", &variable).as_deref(), Some("b"));
    }
}
