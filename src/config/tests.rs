//! What files and the environment give, and what is wrong with them.

use super::*;
use crate::cli::Verb;

fn of_file(text: &str) -> Result<Vec<(String, Vec<String>, String)>, String> {
    let given = file::values(text, "s.toml", &known(), &Cli::command());
    let given = given.map_err(|error| format!("{error:#}"))?;
    let flat = |(key, given): (String, Given)| (key, given.values, given.from.place().to_owned());
    Ok(given.into_iter().map(flat).collect())
}

#[test]
fn values_of_a_file() {
    let check = |text: &str, expect: &[(&str, &[&str], &str)]| {
        let expect: Vec<_> = expect
            .iter()
            .map(|(key, values, place)| {
                let values = values.iter().map(|value| (*value).to_owned()).collect();
                ((*key).to_owned(), values, (*place).to_owned())
            })
            .collect();
        assert_eq!(of_file(text), Ok(expect), "{text}");
    };
    check("", &[]);
    check("# nothing\n", &[]);
    check("ttl = '1h'\n", &[("ttl", &["1h"], "s.toml:1")]);
    check("\u{feff}ttl = '900s'", &[("ttl", &["900s"], "s.toml:1")]);
    check("\r\n\r\nquiet = true\r\n", &[("quiet", &["true"], "s.toml:3")]);
    check("threads = 0x10\n", &[("threads", &["16"], "s.toml:1")]);
    check(
        "slack = '5s'\ntz = 'Europe/Berlin'",
        &[("slack", &["5s"], "s.toml:1"), ("tz", &["Europe/Berlin"], "s.toml:2")],
    );
    let (ews, sync) = ("MSExchangeServicesAppPool=windows", "MSExchangeSyncAppPool=basic");
    check(&format!("auth = [\n  '{ews}',\n  '{sync}',\n]"), &[("auth", &[ews, sync], "s.toml:1")]);
    check(&format!("auth = '{ews}'"), &[("auth", &[ews], "s.toml:1")]);
    check("auth = []", &[("auth", &[], "s.toml:1")]);
    check("[nightly]\nstate = 's.db'\n[[nightly.server]]\nname = 'EX01'\nlogs = ['a']\n", &[]);
    check(
        "for = '2h'\nevery = '5s'",
        &[("every", &["5s"], "s.toml:2"), ("for", &["2h"], "s.toml:1")],
    );
}

#[test]
fn what_is_wrong_with_a_file() {
    let check = |text: &str, expect: &str| {
        let error = of_file(text).unwrap_err();
        assert!(error.starts_with(expect), "{text:?}: {error}");
    };
    check("ttl = '1h'\n\nslak = '1m'", "s.toml:3: unknown key `slak`; did you mean `slack`?");
    check("date-order = 'dmy'", "s.toml:1: unknown key `date-order`; did you mean `date_order`?");
    check("TTL = '1h'", "s.toml:1: unknown key `TTL`; did you mean `ttl`?");
    check("nigthly = 1", "s.toml:1: unknown key `nigthly`; did you mean `nightly`?");
    check("[slack]", "s.toml:1: slack = [slack]: say it as text, in quotes");
    check("x = 1", "s.toml:1: unknown key `x`; one of ttl, slack, auth, fail_on, tz, ");
    check("\"ttl\\n\" = 1", "s.toml:1: unknown key `ttl\n`; did you mean `ttl`?");
    check("nightly = 1", "s.toml:1: `nightly` is a table: [nightly]");
    check("ttl = 'soon'", "s.toml:1: ttl = 'soon': expected number at 0; say 15m, 900s or 1h");
    check("ttl = -5", "s.toml:1: ttl = -5: expected number at 0; say 15m, 900s or 1h");
    check("ttl = 15", "s.toml:1: ttl = 15: has no unit; write 15m for minutes, or 15s for seconds");
    check("for = '30'", "s.toml:1: for = '30': has no unit; write 30m for minutes");
    check("[nightly]\nretention = 400", "s.toml:2: `400`: has no unit; write 400d for days");
    check("\n[nightly]\nanything = 1", "s.toml:3: unknown setting `anything`; one of state, ");
    check(
        "[nightly]\nretenton = 1",
        "s.toml:2: unknown setting `retenton`; did you mean `retention`?",
    );
    check("[[nightly.server]]\nname = 'EX01'", "s.toml:1: `logs` is missing; add it");
    check(
        "[[nightly.exclude]]\naccount = 'a'\nreson = 'b'\nuntil = 2026-12-31",
        "s.toml:3: unknown setting `reson`; did you mean `reason`?",
    );
    check("ttl = '2y'", "s.toml:1: ttl = '2y': longer than a year");
    check("ttl = ['1h']", "s.toml:1: ttl = ['1h']: say one value");
    check(
        "ttl = 1.5",
        "s.toml:1: ttl = 1.5: say a whole number, or as text a time with its unit, \"90s\"",
    );
    check("ttl = true", "s.toml:1: ttl = true: say it as text, in quotes");
    check("color = 'blue'", "s.toml:1: color = 'blue': one of auto, always, never");
    check("hash = ''", "s.toml:1: hash = '': one of sha256, none");
    check("threads = 2000", "s.toml:1: threads = 2000: 2000 is not in 0..=1024");
    check("quiet = 'yes'", "s.toml:1: quiet = 'yes': say true or false");
    check("quiet = 1", "s.toml:1: quiet = 1: say true or false");
    check("auth = 'basic'", "s.toml:1: auth = 'basic': say POOL=SCHEME");
    check("auth = [[]]", "s.toml:1: auth = [[]]: say it as text, in quotes");
    check("tz = 'Atlantis'", "s.toml:1: tz = 'Atlantis': ");
    check("ttl = '1m'\nttl = '2m'", "s.toml:2: no TOML: duplicate key");
    check("ttl 1", "s.toml:1: no TOML: ");
    check("ttl = ", "s.toml:1: no TOML: ");
    check("\n\nttl = \"", "s.toml:3: no TOML: ");
    for flag in ["execute", "yes", "via", "journal", "max_age", "max-age", "pool", "output", "plan"]
    {
        check(
            &format!("{flag} = true"),
            &format!("s.toml:1: `{flag}` is no setting: it is said on the command line alone"),
        );
    }
    for flag in ["account", "since", "until", "requests", "local", "format", "config", "step"] {
        check(
            &format!("{flag} = 'x'"),
            &format!("s.toml:1: `{flag}` is no setting: it is said on the command line alone"),
        );
    }
}

/// A command line under an environment that is nobody's.
fn read(words: &str, environment: &[(&str, &str)]) -> anyhow::Result<CommandLine> {
    let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
    command_line(&words, &variables(environment))
}

fn variables(environment: &[(&str, &str)]) -> Variables {
    let all = environment.iter().map(|(name, value)| (name.into(), value.into()));
    Variables::new(all)
}

#[test]
fn flags_over_environment_over_defaults() {
    let check = |words: &str, environment: &[(&str, &str)], key: &str, expect: (&str, &str)| {
        let line = read(words, environment).unwrap();
        let setting = line.settings.settings.iter().find(|setting| setting.key == key).unwrap();
        assert_eq!((setting.values.join(",").as_str(), setting.from), expect, "{words}");
    };
    let hour: &[(&str, &str)] = &[("STILLIN_TTL", "1h")];
    check("stillin analyze x", &[], "ttl", ("15m", "default"));
    check("stillin analyze x", hour, "ttl", ("1h", "environment"));
    check("stillin analyze x --ttl 2h", hour, "ttl", ("2h", "flag"));
    check("stillin analyze x", &[("STILLIN_TTL", "")], "ttl", ("15m", "default"));
    check("stillin analyze x", &[], "quiet", ("false", "default"));
    check("stillin analyze x -q", &[], "quiet", ("true", "flag"));
    check("stillin analyze x", &[("STILLIN_QUIET", "1")], "quiet", ("true", "environment"));
    check("stillin analyze x", &[("STILLIN_QUIET", "0")], "quiet", ("false", "environment"));
    check("stillin analyze x -q", &[("STILLIN_QUIET", "0")], "quiet", ("true", "flag"));
    check("stillin analyze x", &[("STILLIN_FAIL_ON", "open")], "fail_on", ("open", "environment"));
    check("stillin analyze x", &[], "fail_on", ("", "default"));
    let two = "MSExchangeSyncAppPool=basic, MSExchangeServicesAppPool=windows";
    let both = "MSExchangeSyncAppPool=basic,MSExchangeServicesAppPool=windows";
    check("stillin analyze x", &[("STILLIN_AUTH", two)], "auth", (both, "environment"));
    check(
        "stillin analyze x --auth MSExchangeSyncAppPool=forms",
        &[("STILLIN_AUTH", two)],
        "auth",
        ("MSExchangeSyncAppPool=forms", "flag"),
    );
}

#[test]
fn what_is_set_is_what_the_verb_gets() {
    let environment = [("STILLIN_TTL", "1h"), ("STILLIN_QUIET", "true"), ("STILLIN_TZ", "+02:00")];
    let line = read("stillin analyze x", &environment).unwrap();
    let Verb::Analyze(args) = line.cli.verb else { panic!() };
    assert_eq!(args.ttl.num_minutes(), 60);
    assert!(args.reading.quiet && args.reading.tz.is_some());
    assert_eq!(args.reading.unsaid.judging, ["ttl=1h (STILLIN_TTL)", "tz=+02:00 (STILLIN_TZ)"]);
    let line = read("stillin verify --plan p x", &[("STILLIN_FOR", "2h")]).unwrap();
    let Verb::Verify(args) = line.cli.verb else { panic!() };
    assert_eq!((args.within.as_secs(), args.watch), (7200, false));
}

#[test]
fn what_is_wrong_with_the_environment() {
    let check = |name: &str, value: &str, expect: &str| {
        let error = read("stillin inspect x", &[(name, value)]).err().unwrap();
        assert_eq!(format!("{error:#}"), expect);
    };
    check("STILLIN_TTL", "soon", "STILLIN_TTL=soon: expected number at 0; say 15m, 900s or 1h");
    check("STILLIN_COLOR", "blue", "STILLIN_COLOR=blue: one of auto, always, never");
    check("STILLIN_QUIET", "yes", "STILLIN_QUIET=yes: say true or false");
    check("STILLIN_AUTH", "basic", "STILLIN_AUTH=basic: say POOL=SCHEME");
    check("STILLIN_THREADS", "2000", "STILLIN_THREADS=2000: 2000 is not in 0..=1024");
    check(
        "STILLIN_TTL",
        "15",
        "STILLIN_TTL=15: has no unit; write 15m for minutes, or 15s for seconds",
    );
    check("STILLIN_TLL", "1h", "STILLIN_TLL: unknown variable; did you mean STILLIN_TTL?");
    check(
        "STILLIN_FAILON",
        "open",
        "STILLIN_FAILON: unknown variable; did you mean STILLIN_FAIL_ON?",
    );
    check("STILLIN_CONFG", "x", "STILLIN_CONFG: unknown variable; did you mean STILLIN_CONFIG?");
    check(
        "STILLIN_PSEUDONYMIZE",
        "key",
        "STILLIN_PSEUDONYMIZE: is no setting: it is said on the command line alone; unset it",
    );
    if cfg!(unix) {
        check("Stillin_ttl", "1h", "Stillin_ttl: unknown variable; did you mean STILLIN_TTL?");
    }
}

/// They may be somebody else's, as those of the tests are.
#[test]
fn variables_that_are_called_like_ours() {
    let told = |words: &str, environment: &[(&str, &str)]| read(words, environment).unwrap().told;
    let names = ["REAL", "CASE", "CASES", "BLESS", "PROGRAM", "KILLS", "WINDOWS", "CROSS"];
    for name in names.into_iter().chain(["PICTURES", "CHILD", "RUST_SUITE", "HOME"]) {
        let name = format!("STILLIN_{name}");
        let says =
            format!("{name}: says nothing to stillin; `stillin config` lists what can be set");
        assert_eq!(told("stillin analyze x", &[(&name, "1")]), [says], "{name}");
        assert!(told("stillin analyze x -q", &[(&name, "1")]).is_empty(), "{name}");
        assert!(told("stillin man", &[(&name, "1")]).is_empty(), "{name}");
    }
    // Nobody's, and those that say nothing.
    for name in ["STILL", "STILLIN", "XSTILLIN_TTL", "STILLIN_APPCMD"] {
        assert!(told("stillin analyze x", &[(name, "1")]).is_empty(), "{name}");
    }
    assert!(told("stillin analyze x", &[("STILLIN_TLL", "")]).is_empty());
}

#[test]
fn nights_go_by_the_flag_over_the_environment_over_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for name in ["flag.toml", "variable.toml"] {
        std::fs::write(path(name), "ttl = '20m'\n[nightly]\nchanges = ['ad']\n").unwrap();
    }
    let check = |words: &[&str], variable: Option<&str>, expect: &str| {
        let words: Vec<OsString> = ["stillin"].iter().chain(words).map(OsString::from).collect();
        let environment: Vec<(&str, &str)> =
            variable.map(|path| ("STILLIN_CONFIG", path)).into_iter().collect();
        let config = match command_line(&words, &variables(&environment)).unwrap().cli.verb {
            Verb::Nightly(args) => args.config,
            Verb::History(args) => args.config,
            _ => panic!(),
        };
        assert_eq!(file_or_here(config.as_deref()), Path::new(expect), "{words:?}");
    };
    let (flag, variable) = (path("flag.toml"), path("variable.toml"));
    for verb in ["nightly", "history"] {
        check(&[verb], None, "stillin.toml");
        check(&[verb], Some(&variable), &variable);
        check(&[verb, "--config", &flag], Some(&variable), &flag);
        check(&["--config", &flag, verb], Some(&variable), &flag);
    }
}

/// Notepad's mark, and what `>` of Windows PowerShell writes.
#[test]
fn a_file_in_any_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    let words = "# Zürich\r\nttl = '1h'\r\n[nightly]\r\nchanges = ['ad']\r\n";
    let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        ["\u{feff}", words].concat().encode_utf16().flat_map(bytes).collect()
    };
    let plain = ["\u{feff}".as_bytes(), words.as_bytes()].concat();
    for bytes in [words.into(), plain, wide(u16::to_le_bytes), wide(u16::to_be_bytes)] {
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(text(&path).unwrap(), words);
        let settings = crate::nightly::settings::read(&path).unwrap();
        assert_eq!(settings.analyze.ttl.num_minutes(), 60);
    }
    std::fs::write(&path, b"ttl = '\xff'").unwrap();
    let error = text(&path).unwrap_err().to_string();
    assert!(error.ends_with("s.toml: is no text; save it as UTF-8"), "{error}");
}

/// Nothing beside the command line makes `recycle` act, or on more, or by other means.
#[test]
fn recycle_acts_by_the_command_line_alone() {
    let all: Vec<(String, &str)> = Cli::command()
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .filter_map(key_of)
        .map(|key| (format!("STILLIN_{}", key.to_uppercase()), "2"))
        .filter(|(name, _)| name != FILE_VARIABLE)
        .collect();
    let line = read("stillin recycle --plan p", &[]).unwrap();
    let keys: Vec<_> = line.settings.settings.iter().map(|s| s.key.as_str()).collect();
    assert_eq!(keys, ["pause", "cooldown", "timeout"]);
    // What acts is said on the command line alone: in the environment it is refused.
    let acting = all.iter().filter(|(name, _)| {
        ["EXECUTE", "YES", "VIA", "STEP", "SERVER", "POOL", "AGAIN", "ACTION", "JOURNAL", "MAX_AGE"]
            .iter()
            .any(|key| *name == format!("STILLIN_{key}"))
    });
    let acting: Vec<(&str, &str)> = acting.map(|(name, value)| (name.as_str(), *value)).collect();
    assert!(acting.len() >= 10, "{acting:?}");
    for (name, value) in acting.into_iter().filter(|(name, _)| *name != "STILLIN_SERVER") {
        let error = read("stillin recycle --plan p", &[(name, value)]).err().unwrap();
        let expect = "is no setting: it is said on the command line alone; unset it";
        assert_eq!(format!("{error:#}"), format!("{name}: {expect}"));
    }
    // For other verbs this one is a setting.
    let under = read("stillin recycle --plan p", &[("STILLIN_SERVER", "2")]).unwrap();
    assert_eq!(format!("{:?}", under.cli.verb), format!("{:?}", line.cli.verb));
}

#[test]
fn a_verb_without_settings_reads_none() {
    assert!(read("stillin man --config nowhere.toml", &[("STILLIN_TTL", "soon")]).is_ok());
    let error = read("stillin inspect x --config nowhere.toml", &[]).err().unwrap();
    assert!(format!("{error:#}").starts_with("cannot read nowhere.toml: "), "{error:#}");
}

#[test]
fn who_can_hide_what_is_in_force() {
    let check = |words: &str, environment: &[(&str, &str)], expect: Option<&str>| {
        let told = read(words, environment).unwrap().told;
        assert_eq!(told, Vec::from_iter(expect), "{words}");
    };
    let told = "in force beside the command line: ttl=1h (STILLIN_TTL)";
    check("stillin analyze x", &[("STILLIN_TTL", "1h")], Some(told));
    check("stillin analyze x --ttl 2h", &[("STILLIN_TTL", "1h")], None);
    check("stillin analyze x -q", &[("STILLIN_TTL", "1h")], None);
    check("stillin analyze x", &[("STILLIN_TTL", "1h"), ("STILLIN_QUIET", "1")], None);
    check("stillin inspect x", &[("STILLIN_TTL", "1h")], None);
}
