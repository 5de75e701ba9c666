//! Debian's Chromium without a window, steered over its DevTools protocol.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// Longer than any page takes, shorter than anybody's patience.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page in a browser of its own, gone with it.
pub(crate) struct Page {
    browser: Child,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    session: String,
    calls: u64,
    /// What the browser said by itself since the last [`Page::take_events`].
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

/// The program, by its name in the path or by COPYDESK_TEST_BROWSER.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("COPYDESK_TEST_BROWSER") {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
        .expect("this test needs Chromium: `make test` installs it (Debian's chromium-headless-shell), or name one in COPYDESK_TEST_BROWSER")
}

/// The checker for accessibility, which `deploy/local/tools.sh` fetches.
pub(crate) fn axe() -> String {
    let fetched = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.local/tools/axe.min.js");
    let file = std::env::var("COPYDESK_TEST_AXE").unwrap_or_else(|_| fetched.to_owned());
    std::fs::read_to_string(&file).unwrap_or_else(|e| {
        panic!(
            "{file}: {e}; `make test` fetches it (deploy/local/tools.sh), or name one in COPYDESK_TEST_AXE"
        )
    })
}

impl Page {
    pub(crate) fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Command::new(program())
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--remote-debugging-port=0",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--no-first-run",
                // A name of somebody else's that leads to this machine.
                "--host-resolver-rules=MAP rebound.example 127.0.0.1",
                "--disable-background-networking",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the browser starts");
        let mut lines = BufReader::new(browser.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned))
            .expect("the browser says where it listens");
        // Whoever does not read what it says makes it wait.
        std::thread::spawn(move || lines.for_each(drop));
        let (socket, _) = tungstenite::connect(&address).unwrap();
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        let mut page = Self {
            browser,
            socket,
            session: String::new(),
            calls: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let target = page.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = page.call(
            "Target.attachToTarget",
            &json!({"targetId": target["targetId"], "flatten": true}),
        );
        page.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            page.call(domain, &json!({}));
        }
        // Keys go to the page as if its window were in front.
        page.call("Emulation.setFocusEmulationEnabled", &json!({"enabled": true}));
        page
    }

    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let mut call = json!({"id": self.calls, "method": method, "params": parameters});
        if !self.session.is_empty() {
            call["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(call.to_string())).unwrap();
        loop {
            let said = self.read(method);
            if said["id"] == self.calls {
                assert!(said.get("error").is_none(), "{method}: {said}");
                return said["result"].clone();
            }
            self.events.push(said);
        }
    }

    fn read(&mut self, waiting_for: &str) -> Value {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).unwrap(),
                Ok(_) => {}
                Err(error) => panic!("the browser says nothing while {waiting_for} is waited for: {error}"),
            }
        }
    }

    /// Does something that leads to another page, and waits until that is loaded.
    pub(crate) fn loading(&mut self, act: impl FnOnce(&mut Self)) {
        self.events.retain(|e| e["method"] != "Page.loadEventFired");
        act(self);
        while !self.events.iter().any(|e| e["method"] == "Page.loadEventFired") {
            let said = self.read("a page");
            self.events.push(said);
        }
    }

    pub(crate) fn go(&mut self, address: &str) {
        self.loading(|page| {
            let went = page.call("Page.navigate", &json!({"url": address}));
            assert!(went.get("errorText").is_none(), "{address}: {went}");
        });
    }

    /// The value of an expression, by the tester's hand: no policy of the page holds it back.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression:.200}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Clicks the first element that a selector finds, and waits for the page behind it.
    pub(crate) fn click(&mut self, selector: &str) {
        let clicks = format!("document.querySelector({selector:?}).click()");
        self.loading(|page| {
            page.eval(&clicks);
        });
    }

    pub(crate) fn text(&mut self) -> String {
        self.eval("document.body.innerText")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn path(&mut self) -> String {
        self.eval("location.pathname + location.search")
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A window of this size, light or dark.
    pub(crate) fn looks(&mut self, width: u32, height: u32, scheme: &str) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}),
        );
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    /// Where whoever looks is, as `Asia/Kolkata`.
    pub(crate) fn zone(&mut self, name: &str) {
        self.call("Emulation.setTimezoneOverride", &json!({"timezoneId": name}));
    }

    /// Presses a key and lets it go.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            other => panic!("no key {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Puts text into the first field that a selector finds.
    pub(crate) fn fill(&mut self, selector: &str, text: &str) {
        self.eval(&format!(
            "document.querySelector({selector:?}).value = {}",
            json!(text)
        ));
    }

    /// Clicks what a selector finds and answers with the file that is saved then.
    pub(crate) fn download(&mut self, selector: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        self.call(
            "Page.setDownloadBehavior",
            &json!({"behavior": "allow", "downloadPath": path}),
        );
        self.events.retain(|e| e["method"] != "Page.downloadProgress");
        self.eval(&format!("document.querySelector({selector:?}).click()"));
        let is_done =
            |e: &Value| e["method"] == "Page.downloadProgress" && e["params"]["state"] == "completed";
        while !self.events.iter().any(is_done) {
            let said = self.read("a file");
            self.events.push(said);
        }
        let file = std::fs::read_dir(path)
            .unwrap()
            .next()
            .expect("a file")
            .unwrap()
            .path();
        std::fs::read_to_string(file).unwrap()
    }

    pub(crate) fn scripts(&mut self, on: bool) {
        self.call("Emulation.setScriptExecutionDisabled", &json!({"value": !on}));
    }

    pub(crate) fn picture(&mut self) -> Vec<u8> {
        let shot = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        let data = shot["data"].as_str().unwrap();
        base64::engine::general_purpose::STANDARD.decode(data).unwrap()
    }

    pub(crate) fn take_events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
