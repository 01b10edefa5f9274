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
    check("\u{feff}ttl = 900", &[("ttl", &["900"], "s.toml:1")]);
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
    check("[nightly]\nanything = 1\n[[nightly.server]]\nname = 'EX01'\n", &[]);
    check("for = '2h'\nevery = 5", &[("every", &["5"], "s.toml:2"), ("for", &["2h"], "s.toml:1")]);
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
    check("ttl = '2y'", "s.toml:1: ttl = '2y': longer than a year");
    check("ttl = ['1h']", "s.toml:1: ttl = ['1h']: say one value");
    check("ttl = 1.5", "s.toml:1: ttl = 1.5: say it as text, in quotes");
    check("ttl = true", "s.toml:1: ttl = true: say it as text, in quotes");
    check("color = 'blue'", "s.toml:1: color = 'blue': one of auto, always, never");
    check("hash = ''", "s.toml:1: hash = '': one of sha256, none");
    check("threads = 2000", "s.toml:1: threads = 2000: 2000 is not in 0..=1024");
    check("quiet = 'yes'", "s.toml:1: quiet = 'yes': say true or false");
    check("quiet = 1", "s.toml:1: quiet = 1: say true or false");
    check("auth = 'basic'", "s.toml:1: auth = 'basic': say POOL=SCHEME");
    check("auth = [[]]", "s.toml:1: auth = [[]]: say it as text, in quotes");
    check("tz = 'Atlantis'", "s.toml:1: tz = 'Atlantis': ");
    check("ttl = 1\nttl = 2", "s.toml:2: no TOML: duplicate key");
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
    command_line(&words, &|name| {
        let found = environment.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| OsString::from(value))
    })
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
    // Values that no setting can have are refused; so those are left that say nothing wrong.
    let fine = all.iter().filter(|(name, _)| {
        ["EXECUTE", "YES", "VIA", "STEP", "SERVER", "POOL", "AGAIN", "ACTION", "JOURNAL", "MAX_AGE"]
            .iter()
            .any(|key| *name == format!("STILLIN_{key}"))
    });
    let fine: Vec<(&str, &str)> = fine.map(|(name, value)| (name.as_str(), *value)).collect();
    assert!(fine.len() >= 10, "{fine:?}");
    let under = read("stillin recycle --plan p", &fine).unwrap();
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
        assert_eq!(read(words, environment).unwrap().told.as_deref(), expect, "{words}");
    };
    let told = "in force beside the command line: ttl=1h (STILLIN_TTL)";
    check("stillin analyze x", &[("STILLIN_TTL", "1h")], Some(told));
    check("stillin analyze x --ttl 2h", &[("STILLIN_TTL", "1h")], None);
    check("stillin analyze x -q", &[("STILLIN_TTL", "1h")], None);
    check("stillin analyze x", &[("STILLIN_TTL", "1h"), ("STILLIN_QUIET", "1")], None);
    check("stillin inspect x", &[("STILLIN_TTL", "1h")], None);
}
