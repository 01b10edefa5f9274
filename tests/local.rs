//! `--local`: a server's own logs, found by the variables that Windows sets. On Windows itself a program cannot be given
//! other ones (Wine sets them anew for every process), so this is tested elsewhere.

use crate::support::{Folder, Ran, run, stillin};
use std::fs;

#[test]
fn own_logs_are_found() {
    let folder = Folder::new();
    let logs = "drive/inetpub/logs/LogFiles/W3SVC1";
    folder.copy("samples/scenarios/leaver/iis/EX01/W3SVC1", logs);
    folder.copy("samples/scenarios/leaver/ad", "dc");
    let local = |drive: &str| {
        let mut command = stillin();
        command.current_dir(folder.path()).args(["analyze", "--local", "dc", "-o", "report.json"]);
        command.env("SystemRoot", "win").env("SystemDrive", drive).env("COMPUTERNAME", "EX07");
        run(&mut command, b"")
    };
    let Ran { status, stderr, .. } = local("drive");
    assert_eq!(status, 0, "{stderr}");
    let report = fs::read_to_string(folder.join("report.json")).unwrap();
    assert!(report.contains(logs) && report.contains(r#""server": "EX07""#), "{report}");
    let Ran { status, stderr, .. } = local("nowhere");
    assert_eq!(status, 2);
    assert!(stderr.contains("--local: no logs of IIS at nowhere/inetpub"), "{stderr}");
}
