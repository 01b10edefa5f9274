//! What a file says, and how paths and dates in it are meant; what is wrong with one is in `tests/cmd/nightly-settings.toml`.

use super::*;

/// The settings of a file in a folder.
fn settings_of(text: &str) -> (tempfile::TempDir, Settings) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, text).unwrap();
    let settings = read(&path).unwrap();
    (folder, settings)
}

#[test]
fn everything_that_can_be_said() {
    let (folder, settings) = settings_of(
        "ttl = '1h'\n\
         [nightly]\n\
         state = 'st/a.db'\n\
         outputs = ['out/%Y.json']\n\
         retention = '10d'\n\
         changes = ['ad/*.csv']\n\
         [[nightly.server]]\nname = 'EX01'\nlogs = ['logs/u_ex%y%m%d.log', '/abs/x.log']\n\
         [[nightly.exclude]]\naccount = 'a'\nreason = 4711\nuntil = 2026-12-31\n\
         [[nightly.exclude]]\naccount = 'b'\nreason = 'c'\nuntil = '2027-01-01'\n",
    );
    let below = |name: &str| PathBuf::from(format!("{}/{name}", folder.path().display()));
    assert_eq!(settings.state, below("st/a.db"));
    assert_eq!(settings.outputs, [below("out/%Y.json").display().to_string()]);
    assert_eq!(settings.retention, TimeDelta::days(10));
    let digits = "[0-9][0-9]".repeat(3);
    let escaped = glob::Pattern::escape(&folder.path().to_string_lossy());
    let pattern = PathBuf::from(format!("{escaped}/logs/u_ex{digits}.log"));
    let is_absolute = Path::new("/abs/x.log").is_absolute();
    let second = if is_absolute { PathBuf::from("/abs/x.log") } else { below("/abs/x.log") };
    let changes = PathBuf::from(format!("{escaped}/ad/*.csv"));
    assert_eq!(settings.analyze.paths, [pattern.clone(), second.clone(), changes]);
    assert_eq!(settings.servers, [Server { name: "EX01".into(), logs: vec![pattern, second] }]);
    let exclude = |account: &str, reason: &str, until: &str| Exclude {
        account: account.into(),
        reason: reason.into(),
        until: until.parse().unwrap(),
    };
    assert_eq!(
        settings.excludes,
        [exclude("a", "4711", "2026-12-31"), exclude("b", "c", "2027-01-01")]
    );
    assert_eq!(settings.analyze.ttl, TimeDelta::hours(1));
}

#[test]
fn what_holds_if_nothing_is_said() {
    let (folder, settings) = settings_of("[nightly]\nchanges = ['ad']\n");
    assert_eq!(settings.state, folder.path().join("stillin-state.db"));
    assert_eq!(settings.retention, TimeDelta::days(400));
    assert!(
        settings.outputs.is_empty() && settings.servers.is_empty() && settings.excludes.is_empty()
    );
}

#[test]
fn paths_are_meant_from_the_folder_of_the_file() {
    let check = |folder: &str, text: &str, is_pattern: bool, expect: &str| {
        assert_eq!(below(Path::new(folder), text, is_pattern), expect, "{folder} {text}");
    };
    check("", "logs/x.log", true, "logs/x.log");
    check("etc", "logs/x.log", true, "etc/logs/x.log");
    check("etc/", "logs/*.log", true, "etc/logs/*.log");
    // The folder is no pattern, whatever it is called; of a path without signs nothing is one.
    check("a[1]", "logs/*.log", true, "a[[]1[]]/logs/*.log");
    check("a[1]", "logs/x.log", true, "a[1]/logs/x.log");
    check("a[1]", "out-*.json", false, "a[1]/out-*.json");
}

#[test]
fn signs_of_dates_stand_for_digits() {
    let check = |text: &str, expect: Result<&str, &str>| {
        let expect = expect.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(dated(text), expect, "{text}");
    };
    check("u_ex%y.log", Ok("u_ex[0-9][0-9].log"));
    check("%Y/%j", Ok("[0-9][0-9][0-9][0-9]/[0-9][0-9][0-9]"));
    check("100%%", Ok("100%"));
    let cure = "is no sign of a date here; say %Y, %y, %m, %d, %H or %j";
    check("%q", Err(&format!("`%q` {cure}")));
    check("%", Err(&format!("`%` {cure}")));
}
