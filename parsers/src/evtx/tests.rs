//! What is told without rendering is what rendering tells.

use super::*;
use crate::event::Fact;
use std::path::{Path, PathBuf};

type Said = (Tally, Vec<Result<Fact, Reject>>);

fn read_file(bytes: &[u8], every: bool) -> Said {
    let mut said = Vec::new();
    let tally = read_chunks(bytes, 0..chunk_count(bytes), every, &mut |item| said.push(item));
    (tally, said)
}

/// Compares the two ways, and gives what was told.
fn check(path: &Path) -> Said {
    let bytes = std::fs::read(path).unwrap();
    let (quick, all) = (read_file(&bytes, false), read_file(&bytes, true));
    assert_eq!(quick.0, all.0, "{}", path.display());
    assert_eq!(quick.1, all.1, "{}", path.display());
    quick
}

#[test]
fn samples_are_told_alike() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/ad"));
    let (_, changes) = check(&folder.join("events.evtx"));
    assert!(matches!(changes.as_slice(), [Ok(Fact::Change(_)), ..]), "{changes:?}");
    let (_, said) = check(&folder.join("events-exchange.evtx"));
    let count = |is: fn(&Fact) -> bool| said.iter().flatten().filter(|fact| is(fact)).count();
    assert_eq!(count(|fact| matches!(fact, Fact::Logon(_))), 5);
    assert_eq!(count(|fact| matches!(fact, Fact::Restart(_))), 4);
}

/// All EVTX files of others; none where there are none.
#[expect(clippy::print_stdout, reason = "a test that does nothing says so")]
fn real_files() -> Vec<PathBuf> {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/real").into();
    let folder: PathBuf = std::env::var_os("STILLIN_REAL").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no folder of real files");
        return Vec::new();
    }
    let (mut folders, mut files) = (vec![folder.join("evtx")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "evtx") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty());
    files
}

#[test]
fn real_files_are_told_alike() {
    let mut n_restarts: BTreeMap<String, usize> = BTreeMap::new();
    for path in real_files() {
        for fact in check(&path).1.into_iter().flatten() {
            match fact {
                Fact::Logon(logon) => panic!("{logon:?}: none of them is of an Exchange server"),
                Fact::Restart(restart) => {
                    *n_restarts.entry(format!("{:?}", restart.what)).or_default() += 1;
                }
                _ => {}
            }
        }
    }
    let expect = BTreeMap::from([("Machine".to_owned(), 22)]);
    assert!(n_restarts == expect || real_files().is_empty(), "{n_restarts:?}");
}

/// What a logon without rendering goes by: the name of its process stands in the record's own bytes, though other
/// records of its chunk have the same.
#[test]
fn processes_of_real_logons_stand_in_their_records() {
    let mut n_logons = 0;
    for path in real_files() {
        let bytes = std::fs::read(&path).unwrap();
        for number in 0..chunk_count(&bytes) {
            let Chunk::Records(chunk, _) = chunk_at(&bytes, number) else { continue };
            let mut processes = BTreeMap::new();
            rendered(number, &chunk, &mut Known::new(None), true, &mut |event| {
                if let Ok(Event { pos, event_id: 4624 | 4625, data, .. }) = event {
                    let process = data.into_iter().find(|(name, _)| name == "ProcessName");
                    processes.insert(pos.number(), process.unwrap().1);
                }
            });
            let (mut start, mut known) = (512, Known::new(None));
            while let Some((peek, end)) = peek::at(&chunk, start, &mut known) {
                if let Some(process) = processes.remove(&peek.record_id).filter(|p| p != "-") {
                    let file = process.rsplit('\\').next().unwrap();
                    let record = &chunk[start..end];
                    assert!(crate::windows::marks::holds(record, file.as_bytes(), 2), "{process}");
                    n_logons += 1;
                }
                start = end;
            }
        }
    }
    assert!(n_logons == 35 || real_files().is_empty(), "{n_logons}");
}

/// Validations under a name near a time are found without rendering the others.
#[test]
fn validations_that_are_sought_are_found() {
    let mut n_found = 0;
    for path in real_files() {
        let bytes = std::fs::read(&path).unwrap();
        let (mut all, mut seen) = (Vec::new(), Seen::default());
        for number in 0..chunk_count(&bytes) {
            visit(&bytes, number, true, Known::new(None), &mut |event| {
                let facts = event.ok().and_then(|event| said(&event, &mut seen).ok());
                all.extend(facts.unwrap_or_default().into_iter().filter_map(|fact| match fact {
                    Fact::Validation(validation) => Some(validation),
                    _ => None,
                }));
            });
        }
        let sought = Sought::new(all.iter().map(|v| (v.time, v.name.to_string())));
        let mut found = Vec::new();
        let chunks = 0..chunk_count(&bytes);
        validations_of_chunks(&bytes, chunks, &sought, &mut |validation| found.push(validation));
        all.retain(|validation| validation.name.is_ascii());
        assert_eq!(found, all, "{}", path.display());
        n_found += found.len();
    }
    assert!(n_found > 0 || real_files().is_empty());
}
