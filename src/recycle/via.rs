//! How a server is reached: what appcmd or iisreset is to be told, to the words of a command that tells it.
//! Names are data in every one of them: no word is ever taken apart again after a name was put in.

use crate::collect::names::is_one_host;
use crate::journal::Action;
use anyhow::Context;
use std::process::Command;

/// `--via`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// This computer.
    Local,
    /// Another one, by PowerShell's `Invoke-Command`.
    Winrm,
    /// Another one, by a command of the user's own.
    Command(Template),
}

/// Words with places for what is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    words: Vec<String>,
}

/// The program that is to run on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Lists and recycles pools.
    Appcmd,
    /// Restarts IIS.
    Iisreset,
}

impl Program {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Program::Appcmd => "appcmd",
            Program::Iisreset => "iisreset",
        }
    }

    /// Below `%windir%`.
    fn path(self) -> &'static str {
        match self {
            Program::Appcmd => r"\system32\inetsrv\appcmd.exe",
            Program::Iisreset => r"\system32\iisreset.exe",
        }
    }
}

/// What runs for an action on a pool.
pub fn action(action: Action, pool: &str) -> (Program, Vec<String>) {
    match action {
        Action::Recycle => {
            let name = format!("/apppool.name:{pool}");
            (Program::Appcmd, vec!["recycle".into(), "apppool".into(), name])
        }
        Action::Iisreset => (Program::Iisreset, Vec::new()),
    }
}

/// The arguments that list pools.
pub const LIST_POOLS: [&str; 2] = ["list", "apppools"];

/// The arguments that list workers.
pub const LIST_WORKERS: [&str; 2] = ["list", "wp"];

impl Via {
    /// What `--via` says.
    pub fn parse(text: &str) -> Result<Via, String> {
        match (text, text.strip_prefix("command:")) {
            ("local", _) => Ok(Via::Local),
            ("winrm", _) => Ok(Via::Winrm),
            (_, Some(template)) => Template::parse(template).map(Via::Command),
            _ => Err("say local, winrm or command:TEMPLATE".into()),
        }
    }

    /// As the user said it.
    pub fn word(&self) -> String {
        match self {
            Via::Local => "local".to_owned(),
            Via::Winrm => "winrm".to_owned(),
            Via::Command(template) => format!("command:{}", template.text),
        }
    }

    /// Why a step for that server cannot go this way.
    pub fn refuses(&self, server: &str, pool: &str, action: Action, host: &str) -> Option<String> {
        match self {
            Via::Local if !is_one_host(server, host) => Some(format!(
                "this computer is {host}, the step is for {server}; run it there, or reach it with --via winrm"
            )),
            // The far end may take words apart at blanks, as ssh does.
            Via::Command(_) if pool.contains(' ') => Some(format!(
                "the blank in `{pool}` may not survive a command; use --via local or winrm"
            )),
            Via::Command(template) if action == Action::Iisreset && !template.has("{program}") => {
                Some(
                    "the template has no place for iisreset; put {program} where it says appcmd"
                        .into(),
                )
            }
            _ => None,
        }
    }

    /// The words of the command. `args` and `server` are plain names and words of this program.
    pub fn command<S: AsRef<str>>(
        &self,
        server: &str,
        program: Program,
        args: &[S],
    ) -> anyhow::Result<Vec<String>> {
        let args = args.iter().map(|arg| arg.as_ref().to_owned());
        Ok(match self {
            Via::Local => [local(program)?].into_iter().chain(args).collect(),
            Via::Winrm => {
                let script = script(server, program, &args.collect::<Vec<_>>());
                let options = ["-NoProfile", "-NonInteractive", "-Command"].map(str::to_owned);
                [powershell()].into_iter().chain(options).chain([script]).collect()
            }
            Via::Command(template) => template.words(server, program, &args.collect::<Vec<_>>()),
        })
    }
}

/// Where the program lies on this computer. `STILLIN_APPCMD` names another appcmd, for the tests: on no other system than
/// Windows is there one, and a whole one needs IIS.
fn local(program: Program) -> anyhow::Result<String> {
    let other = match program {
        Program::Appcmd => std::env::var("STILLIN_APPCMD").ok(),
        Program::Iisreset => None,
    };
    let windows = || std::env::var("windir").ok().filter(|_| cfg!(windows));
    other.or_else(|| windows().map(|windows| format!("{windows}{}", program.path()))).context(
        "there is no IIS on this system; reach the servers with --via winrm or command:TEMPLATE",
    )
}

/// PowerShell by its full path, so that none in the current folder is taken for it.
fn powershell() -> String {
    match std::env::var("windir").ok().filter(|_| cfg!(windows)) {
        Some(windows) => format!(r"{windows}\System32\WindowsPowerShell\v1.0\powershell.exe"),
        None => "pwsh".to_owned(),
    }
}

/// A script without double quotes, which would have to survive the command line as well. It ends with the status of the
/// program; if that did not even start, with 1. Names are literals of PowerShell, and arguments on the server.
fn script(server: &str, program: Program, args: &[String]) -> String {
    let args: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
    let arguments = match args.is_empty() {
        true => String::new(),
        false => format!(" -ArgumentList {}", args.join(",")),
    };
    format!(
        "$ErrorActionPreference = 'Stop'; \
         $ran = Invoke-Command -ComputerName {}{arguments} -ScriptBlock {{ \
         $lines = & ($env:windir + {}) $args 2>&1 | ForEach-Object {{ [string]$_ }}; \
         @{{ lines = @($lines); status = $LASTEXITCODE }} }}; \
         $ran.lines; if ($null -eq $ran.status) {{ exit 1 }}; exit $ran.status",
        quoted(server),
        quoted(program.path()),
    )
}

/// A literal of PowerShell. It takes typographic quotes for quotes as well.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for char in text.chars() {
        if matches!(char, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            out.push(char);
        }
        out.push(char);
    }
    out.push('\'');
    out
}

impl Template {
    fn parse(text: &str) -> Result<Template, String> {
        let words = words(text)?;
        let template = Template { text: text.to_owned(), words };
        let program = template.words.first().ok_or("the template is empty")?;
        if program.contains('{') {
            return Err("the first word is the program, and has no places".into());
        }
        for word in &template.words {
            let places = word.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or(rest));
            for place in places {
                match place {
                    "server" | "program" => {}
                    "args" if word == "{args}" => {}
                    "args" => return Err("{args} must be a word of its own".into()),
                    _ => {
                        return Err(format!(
                            "{{{place}}} is no place; say {{server}}, {{args}} or {{program}}"
                        ));
                    }
                }
            }
        }
        // A command that names one server would be run for the steps of all.
        for place in ["{server}", "{args}"] {
            if !template.has(place) {
                return Err(format!("the template has no {place}"));
            }
        }
        Ok(template)
    }

    fn has(&self, place: &str) -> bool {
        self.words.iter().any(|word| word.contains(place))
    }

    fn words(&self, server: &str, program: Program, args: &[String]) -> Vec<String> {
        let put = |word: &String| match word.as_str() {
            "{args}" => args.to_vec(),
            _ => vec![word.replace("{program}", program.name()).replace("{server}", server)],
        };
        self.words.iter().flat_map(put).collect()
    }
}

/// Splits at blanks; what stands between quotes of one kind is kept together. A backslash is a backslash.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for char in text.chars() {
        match (char, quote) {
            ('\'' | '"', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (_, Some(open)) if char == open => quote = None,
            (_, None) if char.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    if quote.is_some() { Err("a quote is not closed".into()) } else { Ok(words) }
}

/// The name of this computer.
pub fn this_host() -> anyhow::Result<String> {
    let name = match cfg!(windows) {
        true => std::env::var("COMPUTERNAME").ok(),
        false => first_line_of("uname", &["-n"]),
    };
    let name = name.map(|name| name.trim().to_uppercase()).filter(|name| !name.is_empty());
    name.context("the name of this computer is not known")
}

/// The user who runs this program, as the system tells it, else the environment.
pub fn operator() -> String {
    let name = |variable| std::env::var(variable).ok().filter(|name: &String| !name.is_empty());
    let user = first_line_of("whoami", &[]).or_else(|| name("USERNAME")).or_else(|| name("USER"));
    user.unwrap_or_else(|| "unknown".to_owned())
}

fn first_line_of(program: &str, args: &[&str]) -> Option<String> {
    let ran = Command::new(program).args(args).output().ok().filter(|ran| ran.status.success())?;
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests;
