//! The path of a log to the server and the IIS site that wrote it, where its folders tell.

/// Folder names that stand above `W3SVC<n>` in a usual layout or a usual copy of one, and are no server's name.
const GENERIC: &[&str] = &[
    "archive", "backend", "backup", "backups", "bak", "be", "c", "c$", "copies", "copy", "d", "d$",
    "data", "evidence", "exchange", "export", "fe", "files", "frontend", "http", "iis", "iis-logs",
    "iis_logs", "iislogs", "inetpub", "log", "logfiles", "logs", "old", "system32", "temp", "tmp",
    "var", "w3c", "web", "weblogs", "windows", "www",
];

/// The server whose logs these are, by the folder above `W3SVC<n>` (DESIGN.md section 2).
///
/// Only the folder right above counts, and only when it can be a host's name: `EX01/W3SVC1/u_ex.log` is EX01's,
/// `inetpub/logs/LogFiles/W3SVC1/u_ex.log` is nobody's. Two servers taken for one would be a wrong accusation.
pub fn server_of(path: &str) -> Option<String> {
    let (above, _) = site_folder(path)?;
    let host = above?;
    let is_host = host.bytes().any(|b| b.is_ascii_alphabetic())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && !host.starts_with(['.', '-'])
        && host.len() <= 253;
    let is_generic = GENERIC.iter().any(|name| name.eq_ignore_ascii_case(host));
    (is_host && !is_generic).then(|| host.to_string())
}

/// Whether a file lies in a folder where IIS keeps the logs of a site.
pub fn is_in_site_folder(path: &str) -> bool {
    site_folder(path).is_some()
}

/// The folder above the innermost `W3SVC<n>`, and `<n>`; empty in `W3SVC`, where central logging writes.
fn site_folder(path: &str) -> Option<(Option<&str>, &str)> {
    // `!` parts an archive from its members: `EX01/W3SVC1/march.zip!u_ex.log`, `logs.zip!EX01/W3SVC1/u_ex.log`.
    if let Some((archive, member)) = path.rsplit_once('!') {
        let folder = archive.strip_suffix(".zip").unwrap_or(archive);
        return site_folder(member).or_else(|| innermost_site(&folders(folder)));
    }
    let (_, above) = folders(path).split_last().map(|(file, above)| (*file, above.to_vec()))?;
    innermost_site(&above)
}

fn folders(path: &str) -> Vec<&str> {
    path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect()
}

fn innermost_site<'a>(folders: &[&'a str]) -> Option<(Option<&'a str>, &'a str)> {
    let place = folders.iter().rposition(|folder| site_number(folder).is_some())?;
    let number = site_number(folders.get(place)?)?;
    let above = place.checked_sub(1).and_then(|place| folders.get(place)).copied();
    Some((above, number))
}

fn site_number(folder: &str) -> Option<&str> {
    let number = folder.get(5..)?;
    let is_site = folder.get(..5)?.eq_ignore_ascii_case("w3svc")
        && number.bytes().all(|b| b.is_ascii_digit());
    is_site.then_some(number)
}
