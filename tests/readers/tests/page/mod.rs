//! A page in a browser, and what a test asks of it.

use headless_chrome::browser::default_executable;
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Log, Network, Page as Paged, Runtime};
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Text whose contrast against what is behind it is below 4.5 to 1 (WCAG AA), one a line.
pub const CONTRAST: &str = r#"
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parts = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (node) => { for (let at = node; at; at = at.parentElement) { const color = parts(getComputedStyle(at).backgroundColor); if (color[3] === 255) return color; } return [255, 255, 255, 255]; };
  const poor = new Set();
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.getClientRects().length || node.closest("script, style, title, defs, noscript")) continue;
    const style = getComputedStyle(node), color = node.closest("svg") ? style.fill : style.color;
    const [a, b] = [light(parts(color)), light(behind(node))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.add(node.tagName + "." + node.className + " " + node.textContent.slice(0, 30) + " " + ((a + 0.05) / (b + 0.05)).toFixed(2));
  }
  return [...poor].join("\n");
})()"#;

/// A browser, if one is installed.
pub fn browser() -> Option<Browser> {
    let Ok(path) = default_executable() else {
        println!("skipped: no Chromium");
        return None;
    };
    let options = LaunchOptions {
        path: Some(path),
        // It will not start in its own sandbox as root; the page comes from these tests.
        sandbox: false,
        window_size: Some((1400, 900)),
        idle_browser_timeout: Duration::from_secs(300),
        ..LaunchOptions::default()
    };
    Some(Browser::new(options).unwrap())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A story of the samples.
pub fn samples(story: &str) -> PathBuf {
    root().join("samples/scenarios").join(story)
}

/// The page of what lies in a folder.
pub fn analyze(logs: &Path, to: &Path) -> PathBuf {
    let page = to.join("report.html");
    let other = std::env::var_os("STILLIN_PROGRAM").map(PathBuf::from);
    let program = other.unwrap_or_else(|| root().join("target/release/stillin"));
    let mut command = Command::new(program);
    let ran =
        command.arg("analyze").arg(logs).arg("--quiet").arg("-o").arg(&page).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    page
}

/// A page that is open.
pub struct Page {
    pub tab: Arc<Tab>,
    /// What it said is wrong: errors, warnings, and what its policy forbade.
    pub said: Arc<Mutex<Vec<String>>>,
    /// What it asked for.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Page {
    /// Opens a file and waits until it is loaded.
    pub fn open(browser: &Browser, file: &Path) -> Page {
        Page::opened(browser, file, true)
    }

    /// The same, as a reader without scripts sees it.
    pub fn open_without_scripts(browser: &Browser, file: &Path) -> Page {
        Page::opened(browser, file, false)
    }

    fn opened(browser: &Browser, file: &Path, has_scripts: bool) -> Page {
        let tab = browser.new_tab().unwrap();
        tab.set_default_timeout(Duration::from_secs(60));
        let (said, asked) = (Arc::default(), Arc::default());
        let page = Page { tab, said, asked };
        let (said, asked) = (Arc::clone(&page.said), Arc::clone(&page.asked));
        let listen = move |event: &Event| match event {
            Event::RuntimeExceptionThrown(event) => {
                said.lock().unwrap().push(format!("{:?}", event.params.exception_details));
            }
            Event::RuntimeConsoleAPICalled(event) => {
                said.lock().unwrap().push(format!("{:?}", event.params.args));
            }
            Event::LogEntryAdded(event) => {
                said.lock().unwrap().push(event.params.entry.text.clone())
            }
            Event::NetworkRequestWillBeSent(event) => {
                asked.lock().unwrap().push(event.params.request.url.clone());
            }
            _ => {}
        };
        page.tab.add_event_listener(Arc::new(listen)).unwrap();
        let network = Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        };
        page.tab.call_method(network).unwrap();
        page.tab.call_method(Log::Enable(None)).unwrap();
        page.tab.call_method(Runtime::Enable(None)).unwrap();
        if !has_scripts {
            let off = Emulation::SetScriptExecutionDisabled { value: true };
            page.tab.call_method(off).unwrap();
        }
        let url = format!("file://{}", file.canonicalize().unwrap().display());
        page.tab.navigate_to(&url).unwrap();
        page.wait(
            "document.readyState === 'complete' && document.querySelector('footer') !== null",
        );
        page
    }

    /// The value of an expression.
    pub fn run(&self, expression: &str) -> Value {
        let answer = self
            .tab
            .call_method(Runtime::Evaluate {
                expression: expression.to_owned(),
                return_by_value: Some(true),
                await_promise: Some(true),
                object_group: None,
                include_command_line_api: None,
                silent: None,
                context_id: None,
                generate_preview: None,
                user_gesture: None,
                throw_on_side_effect: None,
                timeout: None,
                disable_breaks: None,
                repl_mode: None,
                allow_unsafe_eval_blocked_by_csp: None,
                unique_context_id: None,
                serialization_options: None,
            })
            .unwrap();
        assert!(answer.exception_details.is_none(), "{expression}: {:?}", answer.exception_details);
        answer.result.value.unwrap_or_default()
    }

    /// Waits until an expression is true.
    pub fn wait(&self, expression: &str) {
        let begin = Instant::now();
        while self.run(expression) != Value::Bool(true) {
            assert!(begin.elapsed() < Duration::from_secs(60), "never came true: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes the window so wide.
    pub fn set_width(&self, width: u32) {
        let size = Emulation::SetDeviceMetricsOverride {
            width,
            height: 900,
            device_scale_factor: 1.0,
            mobile: false,
            scale: None,
            screen_width: None,
            screen_height: None,
            position_x: None,
            position_y: None,
            dont_set_visible_size: None,
            screen_orientation: None,
            viewport: None,
            display_feature: None,
            device_posture: None,
        };
        self.tab.call_method(size).unwrap();
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
    }

    /// Shows the page as on paper, or on the screen again.
    pub fn to_paper(&self, is_paper: bool) {
        let media = if is_paper { "print" } else { "screen" };
        let media = Emulation::SetEmulatedMedia { media: Some(media.to_owned()), features: None };
        self.tab.call_method(media).unwrap();
    }

    /// Keeps a picture of the whole page, if that is wanted.
    pub fn picture(&self, name: &str) {
        if std::env::var_os("STILLIN_PICTURES").is_none() {
            return;
        }
        let size = |what: &str| number(self, &format!("document.documentElement.{what}"));
        let (width, height) = (size("clientWidth"), size("scrollHeight").min(6_000.0));
        let clip = Paged::Viewport { x: 0.0, y: 0.0, width, height, scale: 1.0 };
        let picture = self
            .tab
            .call_method(Paged::CaptureScreenshot {
                format: Some(Paged::CaptureScreenshotFormatOption::Png),
                clip: Some(clip),
                quality: None,
                from_surface: Some(true),
                capture_beyond_viewport: Some(true),
                optimize_for_speed: None,
            })
            .unwrap();
        keep(name, &base64(&picture.data));
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.tab.close(false);
    }
}

/// Keeps what a test saw, if that is wanted.
pub fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("STILLIN_PICTURES") {
        fs::write(Path::new(&folder).join(name), bytes).unwrap();
    }
}

/// Base64 to bytes.
fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let values: Vec<u8> = text.bytes().filter_map(value).collect();
    let bytes = values.chunks(4).flat_map(|four| {
        let bits = four.iter().fold(0_u32, |bits, value| bits << 6 | u32::from(*value))
            << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}

/// A number.
pub fn number(page: &Page, expression: &str) -> f64 {
    page.run(expression).as_f64().unwrap_or_else(|| panic!("no number: {expression}"))
}

/// Whether something is so.
pub fn truth(page: &Page, expression: &str) -> bool {
    page.run(expression) == Value::Bool(true)
}

/// The text of the first element that a selector names.
pub fn words(page: &Page, selector: &str) -> String {
    let text = page.run(&format!("document.querySelector({selector:?}).textContent"));
    text.as_str().unwrap().replace('\u{a0}', " ")
}
