//! Words of a command line and names of files to what a report is written as.

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A summary that a tired administrator understands at a glance.
    Terminal,
    /// The whole report, schema [`crate::report::SCHEMA`].
    Json,
    /// The plan alone, schema [`crate::plan::SCHEMA`].
    Plan,
    /// The plan as a PowerShell script.
    PowerShell,
    /// The plan as a script of cmd.exe.
    Appcmd,
    /// The plan as an Ansible playbook.
    Ansible,
    /// The whole report as one page for a browser, complete in itself.
    Html,
    /// A workbook of Excel.
    Xlsx,
    /// A ticket.
    Markdown,
    /// The paths of all findings, a row each.
    Findings(Tabular),
    /// The findings by account, server and pool.
    Exposure(Tabular),
    /// Everything in order of time, for Timesketch.
    Timeline,
    /// Findings and requests for Elastic.
    Ecs,
}

/// What a table is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tabular {
    /// One JSON object a line.
    Jsonl,
    /// RFC 4180 with a header; cells that a spreadsheet would compute are neutralised.
    Csv,
    /// Parquet with times as timestamps in UTC.
    Parquet,
}

impl Output {
    /// Every output with the word that names it on a command line.
    pub const WORDS: &'static [(&'static str, Output)] = &[
        ("terminal", Output::Terminal),
        ("json", Output::Json),
        ("plan", Output::Plan),
        ("powershell", Output::PowerShell),
        ("appcmd", Output::Appcmd),
        ("ansible", Output::Ansible),
        ("html", Output::Html),
        ("xlsx", Output::Xlsx),
        ("markdown", Output::Markdown),
        ("findings-jsonl", Output::Findings(Tabular::Jsonl)),
        ("findings-csv", Output::Findings(Tabular::Csv)),
        ("findings-parquet", Output::Findings(Tabular::Parquet)),
        ("exposure-jsonl", Output::Exposure(Tabular::Jsonl)),
        ("exposure-csv", Output::Exposure(Tabular::Csv)),
        ("exposure-parquet", Output::Exposure(Tabular::Parquet)),
        ("timeline", Output::Timeline),
        ("ecs", Output::Ecs),
    ];

    /// The output that a word names.
    pub fn from_word(word: &str) -> Option<Output> {
        Output::WORDS.iter().find(|(name, _)| *name == word).map(|(_, output)| *output)
    }

    /// The word that names it.
    pub fn word(self) -> &'static str {
        Output::WORDS.iter().find(|(_, output)| *output == self).map_or("", |(word, _)| word)
    }

    /// The output that the name of a file asks for by its end, in any case: `report.json` is the report, `plan.json` and
    /// `ex01.plan.json` are the plan, `findings.csv` and `findings-2026-03-02.csv` the findings.
    pub fn from_file_name(name: &str) -> Option<Output> {
        let name = name.to_ascii_lowercase();
        let (stem, extension) = name.rsplit_once('.')?;
        match extension {
            "txt" => Some(Output::Terminal),
            "json" if stem == "plan" || stem.ends_with(".plan") => Some(Output::Plan),
            "json" => Some(Output::Json),
            "ps1" => Some(Output::PowerShell),
            "cmd" | "bat" => Some(Output::Appcmd),
            "yml" | "yaml" => Some(Output::Ansible),
            "html" | "htm" => Some(Output::Html),
            "xlsx" => Some(Output::Xlsx),
            "md" => Some(Output::Markdown),
            "jsonl" | "ndjson" => table(stem, Tabular::Jsonl),
            "csv" => table(stem, Tabular::Csv),
            "parquet" => table(stem, Tabular::Parquet),
            _ => None,
        }
    }

    /// Whether it is no text, so that no terminal can show it.
    pub fn is_binary(self) -> bool {
        matches!(
            self,
            Output::Xlsx | Output::Findings(Tabular::Parquet) | Output::Exposure(Tabular::Parquet)
        )
    }

    /// Whether it is read by programs alone, byte by byte.
    pub fn is_data(self) -> bool {
        let is_lines = matches!(
            self,
            Output::Findings(_) | Output::Exposure(_) | Output::Timeline | Output::Ecs
        );
        is_lines || self.is_binary()
    }
}

/// What a table or a list of lines holds is told by the last word of the stem, or else by its first, so that a date may
/// stand on either side.
fn table(stem: &str, tabular: Tabular) -> Option<Output> {
    let of_word = |word: &str| match (word, tabular) {
        ("findings", _) => Some(Output::Findings(tabular)),
        ("exposure", _) => Some(Output::Exposure(tabular)),
        ("timeline", Tabular::Jsonl) => Some(Output::Timeline),
        ("ecs", Tabular::Jsonl) => Some(Output::Ecs),
        _ => None,
    };
    let mut words = stem.split(['.', '-', '_', ' ']);
    let first = words.next().unwrap_or_default();
    let last = words.next_back().unwrap_or(first);
    of_word(last).or_else(|| of_word(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_names_of_files() {
        for (word, output) in Output::WORDS {
            assert_eq!(Output::from_word(word), Some(*output));
        }
        assert_eq!(Output::from_word("txt"), None);
        let check = |name: &str, expect: Option<Output>| {
            assert_eq!(Output::from_file_name(name), expect, "{name}");
        };
        check("r.JSON", Some(Output::Json));
        check("r.txt", Some(Output::Terminal));
        check("plan.json", Some(Output::Plan));
        check("EX01.Plan.json", Some(Output::Plan));
        check("myplan.json", Some(Output::Json));
        check("plan.json.json", Some(Output::Json));
        check("plan.PS1", Some(Output::PowerShell));
        check("x.cmd", Some(Output::Appcmd));
        check("x.bat", Some(Output::Appcmd));
        check("x.yml", Some(Output::Ansible));
        check("x.yaml", Some(Output::Ansible));
        check("Report.XLSX", Some(Output::Xlsx));
        check("ticket.md", Some(Output::Markdown));
        check("findings.csv", Some(Output::Findings(Tabular::Csv)));
        check("findings.ndjson", Some(Output::Findings(Tabular::Jsonl)));
        check("2026-03-02-findings.parquet", Some(Output::Findings(Tabular::Parquet)));
        check("findings-2026-03-02.csv", Some(Output::Findings(Tabular::Csv)));
        check("ex01.exposure.csv", Some(Output::Exposure(Tabular::Csv)));
        check("timeline_ecs.jsonl", Some(Output::Ecs));
        check("night timeline.jsonl", Some(Output::Timeline));
        check("ecs.jsonl", Some(Output::Ecs));
        check("specs.jsonl", None);
        check("timeline.csv", None);
        check("requests.csv", None);
        check("plan", None);
        check("json", None);
        check("x.", None);
        check("", None);
    }
}
