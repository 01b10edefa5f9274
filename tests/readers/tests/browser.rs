//! The page in a browser: it loads with nothing wrong and nothing asked of the network, what its reader does works, text
//! of logs stays text, paper and narrow screens cut nothing, and 5,000 findings are quick.
//! Without Chromium these tests print `skipped: no Chromium`. `STILLIN_PICTURES=FOLDER` keeps pictures of the pages.
#![cfg(target_os = "linux")]

mod page;

use page::{Page, analyze, browser, number, truth, words};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Who sends a request, or what it is sent with.
type Naming<'a> = &'a dyn Fn(usize) -> String;

/// Leavers whose phones go on, as a change list and W3C logs of two servers.
fn story(folder: &Path, accounts: usize, agent: Naming, name: Naming) {
    let mut changes = String::from("time,account,change,actor\n");
    for n in 0..accounts {
        let (quoted, minute) = (name(n).replace('"', "\"\""), n % 40);
        let kind = ["disabled", "password_reset", "deleted"][n % 3];
        let actor = "FABRIKAM\\helpdesk";
        writeln!(changes, "2026-03-02T09:{minute:02}:00Z,\"{quoted}\",{kind},{actor}").unwrap();
    }
    fs::create_dir_all(folder.join("ad")).unwrap();
    fs::write(folder.join("ad/changes.csv"), changes).unwrap();
    for (server, odd) in [("EX01", 0), ("EX02", 1)] {
        let mut log = String::from(
            "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time s-ip cs-method \
             cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status \
             time-taken\n",
        );
        for minute in (0..130).step_by(10) {
            // Some of them stop long before the log does.
            let goes_on = |n: &usize| minute <= 60 || n % 5 != 0;
            for n in (0..accounts).filter(|n| n % 2 == odd).filter(goes_on) {
                let (hour, within) = (8 + (40 + minute) / 60, (40 + minute) % 60);
                let command = if minute % 40 == 0 { "SendMail" } else { "Ping" };
                let what = match n % 3 {
                    0 => format!(
                        "/Microsoft-Server-ActiveSync/default.eas Cmd={command}&DeviceId=dev{n}&DeviceType=iPhone"
                    ),
                    1 => "/EWS/Exchange.asmx -".to_owned(),
                    _ => "/rpc/rpcproxy.dll -".to_owned(),
                };
                let (who, second, address, with) = (name(n), n % 60, n % 250, agent(n));
                writeln!(
                    log,
                    "2026-03-02 {hour:02}:{within:02}:{second:02} 10.0.0.1 POST {what} 443 {who} 203.0.113.{address} \
                     {with} 200 0 0 120",
                )
                .unwrap();
            }
        }
        let below = folder.join("iis").join(server).join("W3SVC1");
        fs::create_dir_all(&below).unwrap();
        fs::write(below.join("u_ex260302.log"), log).unwrap();
    }
}

fn plain_name(n: usize) -> String {
    format!("FABRIKAM\\user{n:04}")
}

fn phone(_: usize) -> String {
    "Apple-iPhone14C5/2104.5033".to_owned()
}

/// Nothing wrong was said, and nothing was asked for but the page itself.
fn is_quiet(page: &Page) {
    let said = page.said.lock().unwrap();
    assert!(said.is_empty(), "the page said: {said:?}");
    let asked = page.asked.lock().unwrap();
    let is_own = |url: &&String| url.starts_with("file:") || url.starts_with("data:");
    let outside: Vec<_> = asked.iter().filter(|url| !is_own(url)).collect();
    assert!(outside.is_empty(), "asked for {outside:?}");
    let files = asked.iter().filter(|url| url.starts_with("file:")).count();
    assert_eq!(files, 1, "{asked:?}");
}

/// How many elements a selector names.
fn how_many(page: &Page, selector: &str) -> f64 {
    number(page, &format!("document.querySelectorAll({selector:?}).length"))
}

/// How far the page is wider than the window.
fn overhang(page: &Page) -> f64 {
    number(page, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
}

#[test]
fn a_leaver_is_seen_in_every_width_and_light() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(&browser, &analyze(&page::samples("leaver"), folder.path()));
    let verdict = "1 account was served after it was cut off; it can be right now.";
    assert_eq!(words(&page, "h1"), verdict);
    for width in [360, 800, 1400] {
        for theme in ["light", "dark"] {
            page.set_width(width);
            page.run(&format!("document.documentElement.dataset.theme = {theme:?}"));
            let name = format!("leaver-{width}-{theme}.png");
            page.picture(&name);
            assert_eq!(overhang(&page), 0.0, "{name}: too wide");
            assert_eq!(page.run(page::CONTRAST).as_str(), Some(""), "{name}: contrast");
        }
    }
    // One sees the change, who was served after it, how long the token lived, and the refusal at the other server.
    assert_eq!(how_many(&page, "svg.timeline"), 2.0);
    assert_eq!(how_many(&page, "svg.timeline .mark.the-change"), 2.0);
    assert_eq!(how_many(&page, "svg.timeline .mark.refusal"), 1.0);
    assert!(how_many(&page, "svg.timeline .run.bad") >= 10.0);
    assert!(how_many(&page, "svg.timeline .life.after") >= 2.0);
    is_quiet(&page);
}

#[test]
fn what_is_only_possible_keeps_no_sure_token_alive_and_is_not_forgotten() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(&browser, &analyze(&page::samples("made-again"), folder.path()));
    let verdict = "1 account was served after it was cut off. \
                   Whether it goes on is not certain: it may be served right now.";
    assert_eq!(words(&page, "h1"), verdict);
    assert!(words(&page, ".open").contains("may be: possible"), "{}", words(&page, ".open"));
    assert!(words(&page, "#list tbody tr").contains("may be open"));
    page.run("byState = document.querySelector('#state'); byState.value = 'open'");
    page.run("byState.dispatchEvent(new Event('input', { bubbles: true }))");
    assert_eq!(how_many(&page, "#list tbody tr:not(.detail)"), 1.0);
    // The last certain request was at 09:20:40, and a token lives for 15 minutes.
    const ENDS: &str = "
        [...document.querySelectorAll('svg.timeline g[role=img]')]
          .filter((node) => node.querySelector('.life.after, .life.idle'))
          .map((node) => node.getAttribute('aria-label').slice(-8)).sort().at(-1)";
    page.run("document.querySelector('#list tbody button').click()");
    if how_many(&page, "svg.timeline") == 0.0 {
        page.run("document.querySelector('#list tbody button').click()");
    }
    assert_eq!(page.run(ENDS).as_str(), Some("09:35:40"));
    assert!(how_many(&page, "svg.timeline .life.maybe") >= 1.0);
    page.picture("made-again-1400.png");
    is_quiet(&page);
}

#[test]
fn every_mark_and_control_has_a_name() {
    const NAMELESS: &str = "
        [...document.querySelectorAll('svg:not([aria-hidden]), svg [role=img], button, input, select, table')]
          .filter((node) => !(node.getAttribute('aria-label') || node.getAttribute('aria-labelledby')
            || node.labels?.length || node.textContent.trim()))
          .map((node) => node.outerHTML.slice(0, 120)).join('\\n')";
    const UNTITLED: &str = "
        [...document.querySelectorAll('svg [role=img]')]
          .filter((node) => !node.querySelector('title')?.textContent).length";
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    for story in ["leaver", "hole", "logons-settle-it", "recycle-cuts", "reset-old-password", "made-again"] {
        let page = Page::open(&browser, &analyze(&page::samples(story), folder.path()));
        assert_eq!(page.run(NAMELESS).as_str(), Some(""), "{story}");
        assert_eq!(number(&page, UNTITLED), 0.0, "{story}");
        // The same stands in words, mark by mark.
        let drawn = how_many(&page, "svg.timeline .mark, svg.timeline .run:not(.moved)");
        let told = how_many(&page, ".words li");
        assert!(drawn > 3.0 && told >= drawn, "{story}: {told} in words, {drawn} drawn");
        page.picture(&format!("{story}-1400.png"));
        is_quiet(&page);
    }
}

#[test]
fn five_thousand_findings_are_quick_and_can_be_searched_and_sorted() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    story(folder.path(), 5_000, &phone, &plain_name);
    let file = analyze(folder.path(), folder.path());
    let bytes = fs::metadata(&file).unwrap().len();
    // The best of three: the machine may be busy.
    let mut best = f64::MAX;
    for _ in 0..3 {
        const DRAWN: &str = "new Promise((done) =>
            requestAnimationFrame(() => setTimeout(() => done(performance.now()))))";
        let page = Page::open(&browser, &file);
        let loaded = number(&page, "performance.getEntriesByType('navigation')[0].loadEventEnd");
        let drawn = number(&page, DRAWN);
        println!(
            "{bytes} bytes: loaded after {loaded:.0} ms, seen to be drawn after {drawn:.0} ms"
        );
        best = best.min(loaded);
    }
    // Under a second where nothing else runs; 2 s are promised, and a machine that tests may be busy.
    assert!(best < 5_000.0, "loaded after {best:.0} ms");

    let page = Page::open(&browser, &file);
    page.set_width(1400);
    page.picture("many-1400.png");
    let rows = "#list tbody tr:not(.detail)";
    assert_eq!(words(&page, "#count"), "5,000 findings");
    assert!(how_many(&page, rows) <= 200.0, "only what is looked at is drawn");
    // Search: by account, by several words, by what is not there.
    let search = |text: &str| {
        page.run(&format!("search.value = {text:?}; filters.dispatchEvent(new Event('input')); 0"));
        words(&page, "#count")
    };
    let begin = Instant::now();
    assert_eq!(search("user0042"), "1 of 5,000 findings");
    assert!(begin.elapsed() < Duration::from_secs(5), "the search took {:?}", begin.elapsed());
    assert_eq!(search("USER0042 dev42"), "1 of 5,000 findings");
    assert_eq!(search("user0042 nothing"), "0 of 5,000 findings");
    assert_eq!(how_many(&page, rows), 0.0);
    assert_eq!(search("EX01"), "2,500 of 5,000 findings");
    // Filters, beside the search.
    page.run("grade.value = 'certain'; filters.dispatchEvent(new Event('input')); 0");
    let shown = page.run("[...new Set([...document.querySelectorAll('#list tbody tr:not(.detail)')].map((row) => row.cells[3].textContent))].join()");
    assert_eq!(shown.as_str(), Some("certain"));
    let clear = || {
        page.run("filters.reset()");
        page.wait("document.getElementById('count').textContent === '5,000 findings'");
    };
    clear();
    page.run("kind.value = 'deleted'; filters.dispatchEvent(new Event('input')); 0");
    assert_eq!(words(&page, "#count"), "1,666 of 5,000 findings");
    clear();
    // Sorting, both ways, by a text and by a number.
    let column = |n: usize| {
        page.run(&format!("list.tHead.rows[0].cells[{n}].querySelector('button').click(); 0"));
        words(&page, "#list tbody tr td:nth-child(2)")
    };
    assert_eq!(column(1), "FABRIKAM\\user0000");
    assert_eq!(column(1), "FABRIKAM\\user4999");
    assert_eq!(words(&page, "th[aria-sort=descending]"), "Account");
    column(5);
    let cells = page.run(
        "JSON.stringify([...list.tBodies[0].rows].slice(0, 50).map((row) => row.cells[5].textContent))",
    );
    let cells: Vec<String> = serde_json::from_str(cells.as_str().unwrap()).unwrap();
    assert!(cells.iter().map(|cell| seconds(cell)).is_sorted_by(|a, b| a >= b), "{cells:?}");
    // The keyboard.
    page.run("document.activeElement.blur()");
    let press = |key: &str| page.tab.press_key(key).unwrap();
    press("j");
    press("j");
    assert!(truth(&page, "document.activeElement === list.tBodies[0].rows[1].cells[0].firstChild"));
    press("Enter");
    page.wait("document.querySelectorAll('.detail svg.timeline').length === 1");
    press("/");
    assert!(truth(&page, "document.activeElement.id === 'search'"));
    page.tab.type_str("user0007").unwrap();
    page.wait("document.getElementById('count').textContent === '1 of 5,000 findings'");
    press("Escape");
    page.wait("document.getElementById('count').textContent === '5,000 findings'");
    // An address leads to a finding, however far down it is.
    page.run("location.hash = '#f4321'");
    page.wait("document.getElementById('f4321-detail') !== null");
    is_quiet(&page);
}

/// `1 h 30 min` in seconds.
fn seconds(words: &str) -> u64 {
    let parts: Vec<&str> = words.split_whitespace().collect();
    let size = |unit: &str| {
        [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)]
            .into_iter()
            .find(|(of, _)| *of == unit)
            .unwrap()
            .1
    };
    parts.chunks(2).map(|part| part[0].parse::<u64>().unwrap() * size(part[1])).sum()
}

/// Texts that are aimed at a browser. None has a blank: that would end a value of the log.
const AIMED: [&str; 10] = [
    "<script>window.hit=1</script>",
    "</script><script>window.hit=1</script>",
    "<img/src=x/onerror=window.hit=1>",
    "\"><svg/onload=window.hit=1>",
    "javascript:window.hit=1",
    "<!--",
    "]]></style><style>body{display:none}</style>",
    "\u{202e}gpj.exe\u{2066}",
    "a\u{2028}b\u{200f}c",
    "&lt;b&gt;&#x3c;i&#x3e;<a/href=javascript:window.hit=1>x</a>",
];

#[test]
fn hostile_text_stays_text() {
    const FILE: &str = "<img src=x onerror=window.hit=1>.log";
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let long = "W".repeat(30 << 10);
    let aimed = |n: usize| AIMED[n % AIMED.len()];
    let agent = |n: usize| format!("{}{}", aimed(n), if n == 12 { &long } else { "" });
    // A name like these is refused where changes are read; the others reach the page.
    story(folder.path(), 20, &agent, &plain_name);
    let logs = folder.path().join("iis/EX01/W3SVC1");
    fs::rename(logs.join("u_ex260302.log"), logs.join(FILE)).unwrap();
    let page = Page::open(&browser, &analyze(folder.path(), folder.path()));
    page.run("for (const button of document.querySelectorAll('#list tbody button[aria-expanded=false]')) button.click(); 0");
    page.run("for (const details of document.querySelectorAll('details')) details.open = true; 0");
    assert_eq!(how_many(&page, ".detail"), 20.0);
    for width in [360, 1400] {
        page.set_width(width);
        page.picture(&format!("hostile-{width}.png"));
        assert_eq!(overhang(&page), 0.0, "{width}: too wide");
    }
    // Nothing is printed over something else: paper is 718 pixels wide.
    for width in [718, 900, 1400] {
        page.set_width(width);
        let spilt = "[...document.querySelectorAll('.facts td')].filter((cell) => cell.scrollWidth > cell.clientWidth).length";
        assert_eq!(number(&page, spilt), 0.0, "{width}: a cell runs over");
    }
    page.run("dispatchEvent(new Event('beforeprint')); 0");
    assert!(truth(&page, "window.hit === undefined"), "a text was run");
    assert_eq!(number(&page, "document.scripts.length"), 2.0);
    assert_eq!(number(&page, "document.styleSheets.length"), 1.0);
    let strange = "img, iframe, object, embed, base, form[action], a:not([href^='#'])";
    assert_eq!(how_many(&page, strange), 0.0);
    let handlers = "[...document.querySelectorAll('*')].filter((node) => [...node.attributes].some((a) => a.name.startsWith('on'))).length";
    assert_eq!(number(&page, handlers), 0.0);
    // And all of it can be read, what steers as an escape.
    let shown = words(&page, "#dossier");
    for aimed in AIMED {
        let visible: String = aimed
            .chars()
            .map(|char| match char {
                '\u{202e}' | '\u{2066}' | '\u{2028}' | '\u{200f}' => {
                    format!("\\u{{{:x}}}", u32::from(char))
                }
                char => char.to_string(),
            })
            .collect();
        assert!(shown.contains(&visible), "{visible}");
    }
    assert!(shown.contains("…(+"), "what is too long is said to be cut");
    assert!(shown.contains(&format!("{FILE}:")));
    is_quiet(&page);
}

#[test]
fn paper_cuts_nothing() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    story(folder.path(), 60, &phone, &plain_name);
    let page = Page::open(&browser, &analyze(folder.path(), folder.path()));
    // As wide as A4 is between its margins, and as high: 182 by 267 mm at 96 points an inch.
    page.set_width(688);
    page.to_paper(true);
    page.wait("!document.getElementById('dossier').hidden");
    page.picture("paper.png");
    assert_eq!(how_many(&page, "#list tbody tr:not(.detail)"), 60.0);
    assert_eq!(how_many(&page, "#dossier article"), 60.0);
    assert_eq!(how_many(&page, "#dossier svg.timeline"), 60.0);
    assert_eq!(overhang(&page), 0.0, "wider than the paper");
    // No row, picture or line is broken between pages, and none is so high that it must be.
    const BROKEN: &str = "
        [...document.querySelectorAll('tr, figure, li, dd, .tiles, .finding header')]
          .filter((node) => node.getClientRects().length)
          .filter((node) => getComputedStyle(node).breakInside !== 'avoid'
            || node.getBoundingClientRect().height > 1009)
          .map((node) => node.outerHTML.slice(0, 100)).join('\\n')";
    assert_eq!(page.run(BROKEN).as_str(), Some(""));
    // Heads of tables are repeated, and what is for hands is left away.
    const HEADS: &str = "[...document.querySelectorAll('thead')]
        .every((head) => getComputedStyle(head).display === 'table-header-group')";
    assert!(truth(&page, HEADS));
    const HANDS: &str = "['#filters', '#tools', '#keys']
        .every((id) => !document.querySelector(id).getClientRects().length)";
    assert!(truth(&page, HANDS));
    page.to_paper(false);
    page.wait("document.getElementById('dossier').hidden");
    // The browser's own print gives the same document, on pages.
    let pdf = page.tab.print_to_pdf(None).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 50_000, "{} bytes", pdf.len());
    page::keep("paper.pdf", &pdf);
    is_quiet(&page);
}

#[test]
fn without_scripts_the_verdict_and_all_findings_are_there() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    story(folder.path(), 300, &phone, &plain_name);
    let page = Page::open_without_scripts(&browser, &analyze(folder.path(), folder.path()));
    let verdict = words(&page, "h1");
    assert!(verdict.contains(" served after they were cut off"), "{verdict}");
    const SEEN: &str = "[...document.querySelectorAll('.list tbody tr')]
        .filter((row) => row.getClientRects().length).length";
    assert_eq!(number(&page, SEEN), 300.0);
    assert!(
        truth(&page, "document.getElementById('filters').hidden"),
        "a control that does nothing"
    );
}
